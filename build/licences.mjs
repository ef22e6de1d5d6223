import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The folders of the packages that the modules come from: the innermost one of each. */
export function packagesOf(moduleIds) {
  const folders = moduleIds.flatMap(
    (id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(id) ?? [],
  );
  return [...new Set(folders)].sort();
}

/**
 * Name, version, licence and its text of each package.
 * @param ours folder of the texts that packages do not ship themselves, named `NAME.txt` with `+` for `/`
 * @throws Error naming every package without a licence or without its text
 */
export function licenceTexts(folders, ours) {
  const found = folders.map((folder) => ({ ...described(folder), texts: texts(folder, ours) }));
  const wrong = found.filter(({ licence, texts }) => licence === undefined || texts.length === 0);
  if (wrong.length > 0) {
    const names = wrong.map(({ name }) => name).join(", ");
    throw new Error(`No licence or no licence text in: ${names}. Put the text into licenses/NAME.txt (+ for /).`);
  }
  return found.map(({ name, version, licence, texts }) => `${name} ${version} (${licence})\n\n${texts.join("\n\n")}\n`);
}

function described(folder) {
  const { name, version, license, licenses } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { name, version, licence: license ?? licenses?.map(({ type }) => type).join(" or ") };
}

function texts(folder, ours) {
  const shipped = readdirSync(folder).filter((name) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(name));
  const own = join(ours, `${described(folder).name.replace("/", "+")}.txt`);
  const files = shipped.length > 0 ? shipped.map((name) => join(folder, name)) : existsSync(own) ? [own] : [];
  return files.map((file) => readFileSync(file, "utf8").trim());
}

const HEADER = "What mrsk has within it, each with its licence. mrsk's own is in the file LICENSE.\n";
const RULE = `\n${"-".repeat(80)}\n\n`;

/** Writes LICENSES.txt beside the bundle; a package without its licence fails the build. */
export const licences = {
  name: "licences",
  generateBundle(_options, bundle) {
    const ids = Object.values(bundle).flatMap((output) => (output.type === "chunk" ? output.moduleIds : []));
    const source = [HEADER, ...licenceTexts(packagesOf(ids), "licenses")].join(RULE);
    this.emitFile({ type: "asset", fileName: "LICENSES.txt", source });
  },
};
