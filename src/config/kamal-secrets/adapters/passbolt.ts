import { type Adapter, type JsonObject, objectsIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";
import type { VendorTool } from "../vendor-tool.ts";

/** A folder of Passbolt with its names from the top. */
interface Folder {
  readonly id: string;
  readonly path: string;
}

/** A name is `[FOLDER/…]NAME`. */
export const passbolt: Adapter = {
  title: "Passbolt",
  program: "passbolt",
  needsAccount: false,
  async fetch(request, tool) {
    await tool.output("verify", ["verify"]);
    const names = prefixed(request);
    if (names.length === 0) throw new SecretsCommandError("no secrets are named");
    const folders = await readFolders(names, tool);
    const conditions = names.map((name) => {
      const folder = folders.find(({ path }) => path === folderOf(name));
      const equal = `Name == ${JSON.stringify(nameOf(name))}`;
      return folder === undefined ? equal : `(${equal} && FolderParentID == ${JSON.stringify(folder.id)})`;
    });
    const within = folders.flatMap(({ id }) => ["--folder", id]);
    const words = ["list", "resources", "--filter", conditions.join(" || "), ...within];
    const call = tool.json("list resources", [...words, "--column", "name", "--column", "password", "--json"]);
    const items = objectsIn(await reading(`${names.join(", ")} from Passbolt`, call));
    const found = new Map(items.map((item) => [textIn(item["name"]) ?? "", textIn(item["password"]) ?? ""]));
    const missing = names.map(nameOf).filter((name) => !found.has(name));
    if (missing.length > 0) throw new SecretsCommandError(`could not find ${missing.join(", ")} in Passbolt`);
    return found;
  },
};

function nameOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Empty for a name without a folder. */
function folderOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

/** The folders of the names and the folders above them, from the top. @throws SecretsCommandError if one is missing */
async function readFolders(names: readonly string[], tool: VendorTool): Promise<Folder[]> {
  const wanted = [...new Set(names.map(folderOf))].filter((path) => path !== "");
  if (wanted.length === 0) return [];
  const tops = [...new Set(wanted.map((path) => path.split("/", 1)[0]!))];
  const list = async (filter: string): Promise<JsonObject[]> =>
    objectsIn(
      await reading(
        "folders from Passbolt",
        tool.json("list folders", ["list", "folders", "--filter", filter, "--json"]),
      ),
    );
  const top = await list(tops.map((name) => `Name == ${JSON.stringify(name)}`).join(" || "));
  // The parent of a shared folder may not be visible: such a folder counts as one at the top.
  const folders = [
    ...top.filter((one) => !one["folder_parent_id"]),
    ...top.filter((one) => one["folder_parent_id"]),
  ].map((folder): Folder => ({ id: textIn(folder["id"]) ?? "", path: textIn(folder["name"]) ?? "" }));
  for (const path of wanted) {
    const [first = "", ...nested] = path.split("/");
    let parent = folders.find((folder) => folder.path === first);
    for (const name of nested) {
      if (!parent) break;
      const below: string = `${parent.path}/${name}`;
      const known = folders.find((folder) => folder.path === below);
      parent =
        known ??
        firstOf(await list(`Name == ${JSON.stringify(name)} && FolderParentID == ${JSON.stringify(parent.id)}`), below);
      if (parent && !known) folders.push(parent);
    }
  }
  const missing = wanted.filter((path) => !folders.some((folder) => folder.path === path));
  if (missing.length > 0) throw new SecretsCommandError(`could not find the folders ${missing.join(", ")} in Passbolt`);
  return folders;
}

function firstOf([folder]: readonly JsonObject[], path: string): Folder | undefined {
  return folder && { id: textIn(folder["id"]) ?? "", path };
}
