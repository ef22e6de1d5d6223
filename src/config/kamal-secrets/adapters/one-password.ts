import { type Adapter, accountOf, type JsonObject, objectIn, objectsIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";
import type { VendorTool } from "../vendor-tool.ts";

/** The fields of one item; without fields, all of it. */
interface Item {
  readonly vault: string;
  readonly item: string;
  readonly fields: string[];
}

/** A name is `VAULT/ITEM/FIELD`, or `VAULT/ITEM` for its password, with or without `op://`. */
export const onePassword: Adapter = {
  title: "1Password",
  program: "op",
  needsAccount: true,
  async fetch(request, tool) {
    const account = accountOf(request);
    const session = await signIn(account, tool);
    const found = new Map<string, string>();
    for (const item of request.names.length === 0 ? [wholeItem(request.from)] : itemsOf(prefixed(request))) {
      const result = await itemGet(item, { account, session }, tool);
      const fields = item.fields.length === 0 ? objectsIn(objectIn(result)["fields"]) : asList(result);
      for (const [name, value] of fields.flatMap(valueOfField)) found.set(name, value);
    }
    return found;
  },
};

/** The token of a new session; undefined if there is one already, or if the desktop app unlocks the vault. */
async function signIn(account: string, tool: VendorTool): Promise<string | undefined> {
  if (await tool.succeeds(["account", "get", "--account", account])) return undefined;
  return (await tool.signIn("signin", ["signin", "--account", account, "--force", "--raw"])) || undefined;
}

function itemsOf(names: readonly string[]): Item[] {
  const items = new Map<string, Item>();
  for (const name of names) {
    const [vault = "", item = "", ...field] = withoutScheme(name).split("/");
    const known = items.get(`${vault}/${item}`) ?? { vault, item, fields: [] };
    known.fields.push(field.join(".") || "password");
    items.set(`${vault}/${item}`, known);
  }
  return [...items.values()];
}

function wholeItem(from: string | undefined): Item {
  const [vault = "", item = ""] = withoutScheme(from ?? "").split("/");
  if (vault === "" || item === "") {
    throw new SecretsCommandError("no secrets are named: name them, or the item with --from VAULT/ITEM");
  }
  return { vault, item, fields: [] };
}

function itemGet(
  { vault, item, fields }: Item,
  { account, session }: { account: string; session: string | undefined },
  tool: VendorTool,
): Promise<unknown> {
  const what = fields.length === 0 ? "" : `${fields.join(", ")} from `;
  const words = ["item", "get", item, "--vault", vault, "--format", "json", "--account", account];
  if (session !== undefined) words.push("--session", session);
  if (fields.length > 0) words.push("--fields", fields.map((field) => `label=${field}`).join(","));
  const call = tool.json("item get", words);
  return reading(`${what}${item} in the ${vault} 1Password vault`, call);
}

/** `op` prints a single field without a list. */
function asList(result: unknown): JsonObject[] {
  return Array.isArray(result) ? objectsIn(result) : [objectIn(result)];
}

function valueOfField(field: JsonObject): [string, string][] {
  const reference = textIn(field["reference"]);
  if (reference === undefined) return [];
  return [[withoutScheme(reference).replace(/\/password$/, ""), textIn(field["value"]) ?? ""]];
}

function withoutScheme(name: string): string {
  return name.replace(/^op:\/\//, "");
}
