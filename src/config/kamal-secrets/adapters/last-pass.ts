import { type Adapter, accountOf, objectsIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";

/** A name is the full name of an item, with its folder. */
export const lastPass: Adapter = {
  title: "LastPass",
  program: "lpass",
  needsAccount: true,
  async fetch(request, tool) {
    const account = accountOf(request);
    // It fails if no account is signed in.
    const status = await tool.outputInAnyCase(["status", "--color", "never"]);
    if (status !== `Logged in as ${account}.`) await tool.signIn("login", ["login", account]);
    const names = prefixed(request);
    const items = objectsIn(
      await reading(`${names.join(", ")} from LastPass`, tool.json("show", ["show", ...names, "--json"])),
    );
    const found = new Map(items.map((item) => [textIn(item["fullname"]) ?? "", textIn(item["password"]) ?? ""]));
    const missing = names.filter((name) => !found.has(name));
    if (missing.length > 0) throw new SecretsCommandError(`could not find ${missing.join(", ")} in LastPass`);
    return found;
  },
};
