import { readFileSync } from "node:fs";
import { type ParsedKey, utils } from "ssh2";
import { ExitCode, MrskError } from "../../errors.ts";
import { type Certificate, readCertificate } from "../host-keys/certificates.ts";
import { WireReader } from "../wire.ts";

/** A key file and the files next to it: private key, public key, certificates. Any of them may be missing. */
export interface KeyFile {
  readonly path: string;
  readonly public: Buffer | undefined;
  readonly certificates: readonly Certificate[];
  readonly encrypted: boolean;
}

/** The public key comes from the private key file itself, or from the `.pub` file next to it. */
export function keyFile(path: string): KeyFile {
  const text = textOf(path);
  const certificate = certificateIn(`${path}-cert.pub`) ?? certificateIn(path);
  return {
    path,
    public: (text === undefined ? undefined : publicHalf(text)) ?? publicIn(`${path}.pub`) ?? publicIn(path),
    certificates: certificate ? [certificate] : [],
    encrypted: text !== undefined && isEncrypted(text),
  };
}

export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The blob of the first key line in a `.pub` file. */
function blobIn(path: string): Buffer | undefined {
  const words = /^(?:ssh-|ecdsa-|sk-)\S+\s+(AAAA[A-Za-z0-9+/=]+)/m.exec(textOf(path) ?? "");
  return words ? Buffer.from(words[1]!, "base64") : undefined;
}

function publicIn(path: string): Buffer | undefined {
  const blob = blobIn(path);
  if (blob) return certificateOf(blob)?.key ?? blob;
  const parsed = utils.parseKey(textOf(path) ?? "");
  return parsed instanceof Error ? undefined : single(parsed).getPublicSSH();
}

export function certificateIn(path: string): Certificate | undefined {
  const blob = blobIn(path);
  const certificate = blob && certificateOf(blob);
  return certificate?.usage === "user" ? certificate : undefined;
}

function certificateOf(blob: Buffer): Certificate | undefined {
  try {
    return readCertificate(blob);
  } catch {
    return undefined;
  }
}

function single(parsed: ParsedKey | ParsedKey[]): ParsedKey {
  return Array.isArray(parsed) ? parsed[0]! : parsed;
}

export function isPrivate(text: string): boolean {
  const parsed = utils.parseKey(text);
  return !(parsed instanceof Error) && single(parsed).isPrivateKey();
}

export function isPublic(text: string): boolean {
  return /^(?:ssh-|ecdsa-|sk-)\S+\s+AAAA/m.test(text);
}

function isEncrypted(text: string): boolean {
  const parsed = utils.parseKey(text);
  return parsed instanceof Error && /encrypted|passphrase/i.test(parsed.message);
}

/** @param where the file's path, for the error @throws MrskError */
export function parse(text: string, where: string, passphrase?: string): ParsedKey {
  const parsed = passphrase === undefined ? utils.parseKey(text) : utils.parseKey(text, passphrase);
  if (parsed instanceof Error) {
    const wrong = /bad passphrase|integrity/i.test(parsed.message);
    const hint = wrong
      ? "Try again with the right passphrase."
      : `Convert it to OpenSSH's format: ssh-keygen -p -f ${where}`;
    throw new MrskError(ExitCode.remote, `The private key ${where} cannot be read: ${parsed.message}`, {
      hint,
      cause: parsed,
    });
  }
  return single(parsed);
}

/** In an OpenSSH private key the public key is never encrypted. */
function publicHalf(text: string): Buffer | undefined {
  const armoured = /-----BEGIN OPENSSH PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END/.exec(text);
  if (!armoured) return undefined;
  try {
    const reader = new WireReader(Buffer.from(armoured[1]!, "base64"));
    reader.take("openssh-key-v1\0".length);
    for (const _ of ["cipher", "derivation", "its options"]) reader.string();
    return reader.uint32() === 1 ? reader.string() : undefined;
  } catch {
    return undefined;
  }
}
