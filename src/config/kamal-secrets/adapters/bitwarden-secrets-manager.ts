import { type Adapter, type JsonObject, objectIn, objectsIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";

/** Names are UUIDs, `all`, or `PROJECT/all`. */
export const bitwardenSecretsManager: Adapter = {
  title: "Bitwarden Secrets Manager",
  program: "bws",
  needsAccount: false,
  async fetch(request, tool) {
    const names = prefixed(request);
    const [first] = names;
    if (first === undefined) {
      throw new SecretsCommandError("no secrets are named: name them, or write all or PROJECT/all");
    }
    // The list needs the access token, so a wrong token is reported before the first secret.
    await tool.output("project list", ["project", "list"]);
    const all = names.length === 1 ? /^(?:(.*)\/)?all$/s.exec(first) : null;
    if (all) {
      const project = all[1] === undefined ? [] : [all[1]];
      const list = tool.json("secret list", ["secret", "list", ...project]);
      return new Map(objectsIn(await reading("secrets from Bitwarden Secrets Manager", list)).map(pair));
    }
    const found = new Map<string, string>();
    for (const name of names) {
      const call = tool.json("secret get", ["secret", "get", name]);
      found.set(...pair(objectIn(await reading(`${name} from Bitwarden Secrets Manager`, call))));
    }
    return found;
  },
};

function pair({ key, value }: JsonObject): [string, string] {
  return [textIn(key) ?? "", textIn(value) ?? ""];
}
