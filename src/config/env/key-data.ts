import type { Need, Secrets } from "./secrets.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The private keys of `ssh.key_data`. An item is the name of a variable, or the key itself. @throws ConfigError */
export async function privateKeys(keyData: readonly string[], secrets: Pick<Secrets, "resolve">): Promise<string[]> {
  const names = keyData.filter((text) => NAME.test(text));
  const needs = names.map((name): Need => ({ name, requiredBy: "ssh/key_data" }));
  const values = await secrets.resolve(needs);
  return keyData.map((text) => values.get(text)?.reveal() ?? text);
}
