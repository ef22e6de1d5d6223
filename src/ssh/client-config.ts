import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { SshError } from "../errors.ts";

/** Exit status of a shell that did not find the command. */
const NO_COMMAND = 127;

/** What the SSH client's configuration says about one host: keys in lower case, each with all its values, in order. */
export type ClientSettings = ReadonlyMap<string, readonly string[]>;

export interface Asked {
  /** As configured, for messages. */
  readonly name: string;
  readonly host: string;
  /** What deploy.yml fixes; undefined is left to the client's configuration. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** Absolute paths, that count instead of the user's and the system's file; empty: those two. */
  readonly files: readonly string[];
  readonly home: string;
}

/**
 * Asks `ssh -G`, which is exact (`Include`, `Match`, `%h`). Without OpenSSH the files are read here, where an `Include`
 * is passed over.
 * @throws SshError when OpenSSH refuses the configuration
 */
export async function clientSettings(asked: Asked): Promise<ClientSettings> {
  const { files, user, port } = asked;
  const words = [
    "-G",
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    asked.host,
  ];
  try {
    return grouped(await askOpenSsh(files, words));
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT" || code === NO_COMMAND) return withoutOpenSsh(asked);
    throw new SshError(asked.name, `OpenSSH does not read its configuration: ${stderr?.trim() ?? String(error)}`, {
      hint: "Mend that line, or set ssh.config in deploy.yml to another file, or to false.",
      cause: error,
    });
  }
}

/** OpenSSH takes one file: several are what a file says that includes them. */
async function askOpenSsh(files: readonly string[], words: readonly string[]): Promise<string> {
  if (files.length < 2) {
    const named = files.flatMap((file) => ["-F", file]);
    return (await promisify(execFile)("ssh", [...named, ...words])).stdout;
  }
  // ssh opens the path anew, which works on a pipe and not on the socket that a child has from here.
  const asking = promisify(execFile)("/bin/sh", ["-c", 'cat | ssh -F /dev/stdin "$@"', "sh", ...words]);
  asking.child.stdin?.on("error", () => {}).end(files.map((file) => `Include "${file}"\n`).join(""));
  return (await asking).stdout;
}

function grouped(text: string): ClientSettings {
  const settings = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const key = line.slice(0, space).toLowerCase();
    settings.set(key, [...(settings.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  return settings;
}

async function withoutOpenSsh({ host, files, home }: Asked): Promise<ClientSettings> {
  const read = files.length === 0 ? [`${home}/.ssh/config`, "/etc/ssh/ssh_config"] : files;
  const text = read
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const { default: SSHConfig } = await import("ssh-config");
  const found = SSHConfig.parse(text).compute(host);
  return new Map(
    Object.entries(found).map(([key, value]) => [
      key.toLowerCase(),
      (Array.isArray(value) ? value : [value]).map((one) => one.replaceAll("%h", host)),
    ]),
  );
}
