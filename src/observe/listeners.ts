import { HIGHEST_PORT, portsBetween } from "../ports.ts";

/** More ports than a host can publish: a limit for a wrong output of docker. */
const MOST_PORTS = 16 * HIGHEST_PORT;

/**
 * The owner of each TCP port: the name of a container, or else of a program, which only root can see.
 * @param published name and published ports of each container, as `docker ps` prints them
 */
export function listenersOf(
  text: string,
  published: readonly { readonly name: string; readonly ports: string }[],
): Map<number, string> {
  const found = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [, local, name, pid] =
      /^LISTEN\s+\d+\s+\d+\s+\S+:(\d+)\s+\S+\s*(?:users:\(\("([^"]*)",pid=(\d+))?/.exec(line) ?? [];
    if (local !== undefined) {
      found.set(Number(local), name === undefined ? "another program" : `${name} (process ${pid})`);
    }
  }
  let counted = 0;
  for (const { name, ports } of published) {
    for (const [, first, last = first] of ports.matchAll(/:(\d+)(?:-(\d+))?->[\d-]+\/tcp/g)) {
      if (counted > MOST_PORTS) return found;
      const range = portsBetween(Number(first), Number(last));
      counted += range.length;
      for (const port of range) found.set(port, `the container ${name}`);
    }
  }
  return found;
}

/**
 * The addresses of each TCP port that is in use, but not at all addresses.
 * @param published as for `listenersOf`
 */
export function listenerAddressesOf(
  text: string,
  published: readonly { readonly ports: string }[],
): Map<number, readonly string[]> {
  const listening = text.matchAll(/^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s/gm);
  const bound = published.flatMap(({ ports }) => [...ports.matchAll(/(?:^|\s)(\S+):(\d+)->[\d-]+\/tcp/g)]);
  const found = new Map<number, string[]>();
  for (const [, written = "", port] of [...listening, ...bound]) {
    const address = written.replace(/%.*/, "").replace(/^\[(.*)\]$/, "$1");
    found.set(Number(port), [...(found.get(Number(port)) ?? []), address]);
  }
  return new Map([...found].filter(([, addresses]) => !addresses.some((address) => EVERYWHERE.includes(address))));
}

const EVERYWHERE = ["0.0.0.0", "::", "*", ""];
