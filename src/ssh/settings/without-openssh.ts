import { existsSync, readFileSync } from "node:fs";
import type { ClientSettings } from "./client-config.ts";

/** Reads ssh_config without OpenSSH; ignores `Include`. @param files empty: the user's and the system's file */
export async function readWithoutOpenSsh(
  host: string,
  files: readonly string[],
  home: string,
): Promise<ClientSettings> {
  const read = files.length === 0 ? [`${home}/.ssh/config`, "/etc/ssh/ssh_config"] : files;
  const text = read
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const { default: SSHConfig } = await import("ssh-config");
  const found = SSHConfig.parse(text).compute(host);
  const settings = new Map(
    Object.entries(found).map(([key, value]) => [key.toLowerCase(), Array.isArray(value) ? value : [value]]),
  );
  const name = settings.get("hostname")?.[0];
  if (name !== undefined) settings.set("hostname", [name.replaceAll(/%([h%])/g, (_, of) => (of === "h" ? host : "%"))]);
  return settings;
}
