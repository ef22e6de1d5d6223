import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode, MrskError } from "../../errors.ts";
import { keyType } from "../wire.ts";

const KRL_MAGIC = Buffer.from("SSHKRL\n\0");

/**
 * Returns `file` (`RevokedHostKeys`) if it revokes one of the keys or certificates. Runs ssh-keygen synchronously if the
 * file is a key revocation list: ssh2 needs a synchronous answer.
 * @throws MrskError if the file cannot be read: ssh then refuses every host
 */
export function revokedBy(file: string | undefined, keys: readonly Buffer[]): string | undefined {
  if (file === undefined) return undefined;
  const bytes = contentOf(file);
  const isKrl = bytes.subarray(0, KRL_MAGIC.length).equals(KRL_MAGIC);
  const revoked = isKrl ? someInKrl(file, keys) : listed(bytes.toString("utf8"), keys);
  return revoked ? file : undefined;
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, (error as Error).message);
  }
}

/** A plain list has one public key per line. */
function listed(text: string, keys: readonly Buffer[]): boolean {
  const words = new Set(text.split("\n").flatMap((line) => (line.trim().startsWith("#") ? [] : line.split(/\s+/))));
  return keys.some((key) => words.has(key.toString("base64")));
}

function someInKrl(file: string, keys: readonly Buffer[]): boolean {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-revoked-"));
  try {
    return keys.some((key) => inKrl(file, join(folder, "key.pub"), key));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inKrl(file: string, keyFile: string, key: Buffer): boolean {
  writeFileSync(keyFile, `${keyType(key)} ${key.toString("base64")}\n`);
  const { status, stdout, stderr, error } = spawnSync("ssh-keygen", ["-Q", "-f", file, keyFile], { encoding: "utf8" });
  if (status === 0) return false;
  if (stdout?.includes(": REVOKED")) return true;
  throw unreadable(file, error?.message ?? stderr.trim());
}

function unreadable(file: string, why: string): MrskError {
  return new MrskError(ExitCode.remote, `RevokedHostKeys: ${file} cannot be read: ${why}`, {
    hint: "Without it no host key can be trusted. Correct the path in your ssh_config, or install ssh-keygen.",
  });
}
