import { type Adapter, objectsIn, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";

/** `--from` is the folder of the vault. A name is `TITLE`, for all labels, or `TITLE/LABEL`. */
export const enpass: Adapter = {
  title: "Enpass",
  program: "enpass-cli",
  needsAccount: false,
  async fetch({ names, from }, tool) {
    if (from === undefined) throw new SecretsCommandError("the vault is missing: write --from FOLDER");
    const titles = [...new Set(names.map((name) => name.slice(0, Math.max(0, name.lastIndexOf("/"))) || name))];
    const call = tool.json("show", ["-json", "-vault", from, "show", ...titles]);
    const found = new Map<string, string>();
    for (const item of objectsIn(await reading(`${titles.join(", ")} from Enpass`, call))) {
      const [title, label, password] = [textIn(item["title"]), textIn(item["label"]), textIn(item["password"])];
      if (!title || !password) continue;
      const key = label ? `${title}/${label}` : title;
      if (!names.includes(title) && !names.includes(key)) continue;
      if (found.has(key)) throw new SecretsCommandError(`${key} is present more than once in Enpass`);
      found.set(key, password);
    }
    return found;
  },
};
