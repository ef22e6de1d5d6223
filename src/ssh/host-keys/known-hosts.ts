import { createHmac, randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync } from "node:fs";
import { dirname } from "node:path";
import { DEFAULTS } from "../../config/defaults.ts";
import { readText } from "../../files.ts";
import { makeFolders } from "../../folders.ts";
import { glob } from "../settings/wildcards.ts";
import { keyType } from "../wire.ts";

/** One usable line of a known_hosts file. */
export interface KnownKey {
  readonly file: string;
  readonly line: number;
  /** `ssh-ed25519`. */
  readonly type: string;
  readonly key: Buffer;
  readonly revoked: boolean;
  /** Whether it is the key of a certificate authority (`@cert-authority`). */
  readonly authority: boolean;
}

/** The known keys of a host in all the files; a missing file counts as empty. */
export function knownKeys(files: readonly string[], host: string, port: number): KnownKey[] {
  const name = hostPattern(host, port);
  return files.flatMap((file) => {
    if (!existsSync(file)) return [];
    return readText(file)
      .split("\n")
      .flatMap((text, index) => knownKey(file, index + 1, text, name) ?? []);
  });
}

/** A host as known_hosts has it: lower case, `[host]:port` for any port but 22. */
export function hostPattern(host: string, port: number): string {
  return port === DEFAULTS.ssh.port ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function knownKey(file: string, line: number, text: string, name: string): KnownKey | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields[0] === undefined || fields[0] === "" || fields[0].startsWith("#")) return undefined;
  const marker = fields[0].startsWith("@") ? fields.shift() : undefined;
  const [patterns = "", type = "", key = ""] = fields;
  if (!matches(patterns, name)) return undefined;
  const [revoked, authority] = [marker === "@revoked", marker === "@cert-authority"];
  return { file, line, type, key: Buffer.from(key, "base64"), revoked, authority };
}

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith("|1|")) {
    const [, , salt = "", digest = ""] = patterns.split("|");
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === digest;
  }
  const list = patterns.toLowerCase().split(",");
  const hit = (pattern: string) => glob(pattern).test(name);
  if (list.some((pattern) => pattern.startsWith("!") && hit(pattern.slice(1)))) return false;
  return list.some((pattern) => !pattern.startsWith("!") && hit(pattern));
}

/** Adds a new host's key to a file. A new file or folder is readable for the user only. */
export function remember(file: string, host: string, port: number, key: Buffer, hashed: boolean): void {
  makeFolders(dirname(file), 0o700);
  const existed = existsSync(file);
  const unfinished = existed && /[^\n]$/.test(readText(file));
  const name = hashed ? hash(hostPattern(host, port)) : hostPattern(host, port);
  appendFileSync(file, `${unfinished ? "\n" : ""}${name} ${keyType(key)} ${key.toString("base64")}\n`);
  if (!existed) chmodSync(file, 0o600);
}

function hash(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}
