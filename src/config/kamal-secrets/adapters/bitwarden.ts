import { type Adapter, accountOf, type JsonObject, objectIn, objectsIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";
import type { VendorTool } from "../vendor-tool.ts";

/** A name is `ITEM`, for the password of a login or for all custom fields, or `ITEM/FIELD`. */
export const bitwarden: Adapter = {
  title: "Bitwarden",
  program: "bw",
  needsAccount: true,
  async fetch(request, tool) {
    const session = await unlock(accountOf(request), tool);
    await tool.output("sync", ["sync"], session);
    const found = new Map<string, string>();
    for (const [item, fields] of itemsOf(prefixed(request))) {
      const call = tool.json("get item", ["get", "item", item], session);
      const read = objectIn(await reading(`${item} from Bitwarden`, call));
      for (const [name, value] of valuesOf(item, fields, read)) found.set(name, value);
    }
    return found;
  },
};

/** The environment with the key of the session; empty if the vault is unlocked already. */
async function unlock(account: string, tool: VendorTool): Promise<Readonly<Record<string, string>>> {
  const status = async (session: Readonly<Record<string, string>>) =>
    objectIn(await tool.json("status", ["status"], session))["status"];
  let now = await status({});
  if (now === "unauthenticated") {
    await tool.signIn("login", ["login", account]);
    now = await status({});
  }
  let session: Readonly<Record<string, string>> = {};
  if (now === "locked") {
    const key = await tool.signIn("unlock", ["unlock", "--raw"]);
    if (key !== "") session = { BW_SESSION: key };
    now = await status(session);
  }
  if (now !== "unlocked") throw new SecretsCommandError("failed to log in to Bitwarden and to unlock the vault");
  return session;
}

/** The fields of each item; undefined is the item itself. */
function itemsOf(names: readonly string[]): Map<string, (string | undefined)[]> {
  const items = new Map<string, (string | undefined)[]>();
  for (const name of names) {
    const [item = "", field] = name.split("/");
    items.set(item, [...(items.get(item) ?? []), field]);
  }
  return items;
}

function valuesOf(item: string, fields: readonly (string | undefined)[], read: JsonObject): [string, string][] {
  const custom = objectsIn(read["fields"]);
  return fields.flatMap((field): [string, string][] => {
    if (field !== undefined) return [valueOfField(item, field, custom)];
    const password = textIn(objectIn(read["login"])["password"]);
    if (password !== undefined) return [[item, password]];
    if (custom.length > 0) return custom.map((one) => valueOfField(item, textIn(one["name"]) ?? "", custom));
    throw new SecretsCommandError(`item ${item} in Bitwarden is no login and has no fields`);
  });
}

function valueOfField(item: string, field: string, custom: readonly JsonObject[]): [string, string] {
  const found = custom.find(({ name }) => name === field);
  if (found) return [`${item}/${field}`, textIn(found["value"]) ?? ""];
  throw new SecretsCommandError(`could not find field ${field} in item ${item} in Bitwarden`);
}
