import { createHash } from "node:crypto";
import { utils } from "ssh2";
import { keyType, sshString, WireReader } from "../wire.ts";

/** Number of fields of the public key in a certificate, by plain key type. */
const KEY_FIELDS: Readonly<Record<string, number>> = {
  "ssh-ed25519": 1,
  "ssh-rsa": 2,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
  "sk-ssh-ed25519@openssh.com": 2,
  "sk-ecdsa-sha2-nistp256@openssh.com": 3,
};

/** An OpenSSH certificate (PROTOCOL.certkeys). */
export interface Certificate {
  readonly blob: Buffer;
  /** `ssh-ed25519-cert-v01@openssh.com`. */
  readonly type: string;
  /** The certified public key. */
  readonly key: Buffer;
  readonly usage: "user" | "host" | undefined;
  readonly principals: readonly string[];
  /** Seconds since 1970. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly criticalOptions: readonly string[];
  /** The key of the authority that signed it. */
  readonly authority: Buffer;
  /** The bytes that the authority signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** `ssh-ed25519` for `ssh-ed25519-cert-v01@openssh.com`; a plain type is returned unchanged. */
export function plainType(type: string): string {
  return type.replace(/-cert-v01@openssh\.com$/, type.startsWith("sk-") ? "@openssh.com" : "");
}

/** Undefined if the blob is no certificate. @throws RangeError for a truncated certificate */
export function readCertificate(blob: Buffer): Certificate | undefined {
  const type = keyType(blob);
  const plain = plainType(type);
  const fields = KEY_FIELDS[plain];
  if (plain === type || fields === undefined) return undefined;
  const reader = new WireReader(blob);
  reader.string();
  reader.string(); // the nonce
  const start = reader.position;
  for (let i = 0; i < fields; i++) reader.string();
  const key = Buffer.concat([sshString(plain), reader.since(start)]);
  reader.uint64(); // the serial number
  const usage = ([undefined, "user", "host"] as const)[reader.uint32()];
  reader.string(); // the id
  const principals = strings(reader.string());
  const [validAfter, validBefore] = [reader.uint64(), reader.uint64()];
  const criticalOptions = strings(reader.string()).filter((_, i) => i % 2 === 0);
  reader.string(); // extensions
  reader.string(); // reserved
  const authority = reader.string();
  const signed = reader.since(0);
  return {
    blob,
    type,
    key,
    usage,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    authority,
    signed,
    signature: reader.string(),
  };
}

function strings(list: Buffer): string[] {
  const reader = new WireReader(list);
  const found: string[] = [];
  while (!reader.ended) found.push(reader.text());
  return found;
}

/** Why the certificate is not valid for `host`; undefined if it is. @param now milliseconds since 1970 */
export function hostCertificateProblem(certificate: Certificate, host: string, now: number): string | undefined {
  const seconds = BigInt(Math.floor(now / 1000));
  if (certificate.usage !== "host") return "it is not a certificate for hosts";
  if (seconds < certificate.validAfter) return "it is not valid yet";
  if (seconds >= certificate.validBefore) return "it has expired";
  if (certificate.criticalOptions.length > 0)
    return `it has an unknown critical option: ${certificate.criticalOptions[0]}`;
  if (certificate.principals.length > 0 && !certificate.principals.includes(host.toLowerCase()))
    return `it is for ${certificate.principals.join(", ")}`;
  return signatureProblem(certificate);
}

function signatureProblem({ authority, signed, signature }: Certificate): string | undefined {
  const key = utils.parseKey(authority);
  if (key instanceof Error) return `its authority's key has an unknown type: ${keyType(authority)}`;
  const reader = new WireReader(signature);
  const algorithm = reader.text();
  if (algorithm === "ssh-rsa") return "its signature algorithm is ssh-rsa, which is no longer safe";
  const hash = algorithm === "rsa-sha2-256" ? "sha256" : algorithm === "rsa-sha2-512" ? "sha512" : undefined;
  const single = Array.isArray(key) ? key[0]! : key;
  const verified = single.verify(signed, asn1(algorithm, reader.string()), hash);
  return verified === true ? undefined : "its signature is wrong";
}

/** Node's verifier expects ASN.1 for ECDSA; SSH has two numbers. */
function asn1(algorithm: string, signature: Buffer): Buffer {
  if (!algorithm.startsWith("ecdsa-")) return signature;
  const reader = new WireReader(signature);
  const integer = (bytes: Buffer) => Buffer.concat([Buffer.from([2, bytes.length]), bytes]);
  const body = Buffer.concat([integer(reader.string()), integer(reader.string())]);
  return Buffer.concat([Buffer.from(body.length < 128 ? [48, body.length] : [48, 129, body.length]), body]);
}

/** `SHA256:…` as ssh prints it. A certificate has the fingerprint of its key. */
export function fingerprint(blob: Buffer): string {
  const key = readCertificate(blob)?.key ?? blob;
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
