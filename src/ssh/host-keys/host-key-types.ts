import type { ServerHostKeyAlgorithm } from "ssh2";
import type { KnownKey } from "./known-hosts.ts";
import { HOST_CERTIFICATE_TYPES } from "../ssh2-protocol.ts";

const KEY_TYPES: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
];

/**
 * Types of known keys first: otherwise a known host sends another key, which would count as a changed key. Certificates
 * before them, if known_hosts has an authority for the host.
 */
export function preferredKeyTypes(lines: readonly KnownKey[]): ServerHostKeyAlgorithm[] {
  const known = lines.filter(({ authority }) => !authority).map(({ type }) => type);
  const wanted = (type: string) => known.includes(type) || (type.startsWith("rsa-sha2") && known.includes("ssh-rsa"));
  const certificates = lines.some(({ authority }) => authority) ? HOST_CERTIFICATE_TYPES : [];
  const plain = [...KEY_TYPES.filter(wanted), ...KEY_TYPES.filter((type) => !wanted(type))];
  return [...certificates, ...plain] as ServerHostKeyAlgorithm[];
}
