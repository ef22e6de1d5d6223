import { type Script, secretsOfScript } from "../commands/script.ts";

/** Replaces each secret that a script carries, and each line of it: not even what a command prints may show one. */
export function mask(script: Script): (text: string) => string {
  const values = secretsOfScript(script)
    .flatMap((secret) => [secret.reveal(), ...secret.reveal().split("\n")])
    .filter((value) => value.trim().length >= 4)
    .toSorted((a, b) => b.length - a.length);
  return (text) => values.reduce((masked, value) => masked.replaceAll(value, "[REDACTED]"), text);
}
