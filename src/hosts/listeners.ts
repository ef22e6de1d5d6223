import { type Shell, sh } from "../commands/command.ts";

/** Published ports and listening programs, where no Traefik runs that could be one of them. Reads `$all` and `$seen`. */
export function listeners(): Shell {
  return sh`printf '%s\n' "$seen" | grep -qx 'state running' && exit 0
printf '%s\n' "$all" | awk -F '\t' '$4 != "" { print "container", $2, $4 }'
PATH=$PATH:/usr/sbin:/sbin
if [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null; then as=; else as="sudo -n"; fi
$as ss -Hltnp 2>/dev/null || true`;
}

/** Who has a TCP port: a container by name, else a program, whose name only root sees. */
export function listenersOf(text: string): Map<number, string> {
  const found = new Map<number, string>();
  const lines = text.split("\n");
  for (const line of lines) {
    const [, local, name, pid] =
      /^LISTEN\s+\d+\s+\d+\s+\S+:(\d+)\s+\S+\s*(?:users:\(\("([^"]*)",pid=(\d+))?/.exec(line) ?? [];
    if (local !== undefined) {
      found.set(Number(local), name === undefined ? "another program" : `${name} (process ${pid})`);
    }
  }
  for (const line of lines) {
    const [, name, ports = ""] = /^container (\S+) ?(.*)$/.exec(line) ?? [];
    for (const [, first, last = first] of ports.matchAll(/:(\d+)(?:-(\d+))?->[\d-]+\/tcp/g)) {
      for (let port = Number(first); port <= Number(last); port++) found.set(port, `the container ${name}`);
    }
  }
  return found;
}
