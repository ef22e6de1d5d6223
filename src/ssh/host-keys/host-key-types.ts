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
 * Types of known keys first: else a known host shows another key and looks changed. Certificates before them, where an
 * authority is known for the host.
 */
export function preferredKeyTypes(lines: readonly KnownKey[]): ServerHostKeyAlgorithm[] {
  const known = lines.filter(({ authority }) => !authority).map(({ type }) => type);
  const wanted = (type: string) => known.includes(type) || (type.startsWith("rsa-sha2") && known.includes("ssh-rsa"));
  const vouched = lines.some(({ authority }) => authority) ? HOST_CERTIFICATE_TYPES : [];
  const plain = [...KEY_TYPES.filter(wanted), ...KEY_TYPES.filter((type) => !wanted(type))];
  return [...vouched, ...plain] as ServerHostKeyAlgorithm[];
}
