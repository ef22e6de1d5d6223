import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { SshError } from "../errors.ts";

/** What the SSH client's configuration says about one host: keys in lower case, each with all its values, in order. */
export type ClientSettings = ReadonlyMap<string, readonly string[]>;

export interface Asked {
  /** As configured, for messages. */
  readonly name: string;
  readonly host: string;
  /** What deploy.yml fixes; undefined is left to the client's configuration. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** One file instead of the user's and the system's. */
  readonly file: string | undefined;
  readonly home: string;
}

/**
 * Asks `ssh -G`, which is exact (`Include`, `Match`, `%h`). Without OpenSSH the files are read here, where an `Include`
 * is passed over.
 * @throws SshError when OpenSSH refuses the configuration
 */
export async function clientSettings(asked: Asked): Promise<ClientSettings> {
  const { file, user, port } = asked;
  const words = [
    "-G",
    ...(file === undefined ? [] : ["-F", file]),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    asked.host,
  ];
  try {
    return grouped((await promisify(execFile)("ssh", words)).stdout);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") return withoutOpenSsh(asked);
    throw new SshError(asked.name, `OpenSSH does not read its configuration: ${stderr?.trim() ?? String(error)}`, {
      hint: "Mend that line, or set ssh.config in deploy.yml to another file, or to false.",
      cause: error,
    });
  }
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

async function withoutOpenSsh({ host, file, home }: Asked): Promise<ClientSettings> {
  const files = file === undefined ? [`${home}/.ssh/config`, "/etc/ssh/ssh_config"] : [file];
  const text = files
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
