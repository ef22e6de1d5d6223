import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "rolldown";

/** The folder of the texts that packages do not ship themselves: `NAME.txt`, with `+` for `/`. */
const OURS = "bin/bundle/licences";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** The form of old packages. */
  readonly licenses?: readonly { readonly type: string }[];
}

/** The folders of the packages that the modules come from: the innermost one of each. */
export function packagesOf(moduleIds: readonly string[]): string[] {
  const folders = moduleIds.flatMap(
    (id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(id) ?? [],
  );
  return [...new Set(folders)].toSorted();
}

/**
 * Name, version, licence and its text of each package.
 * @param ours folder of the texts that packages do not ship themselves
 * @throws Error naming every package without a licence or without its text
 */
export function licenceTexts(folders: readonly string[], ours: string): string[] {
  const found = folders.map((folder) => {
    const { name, version, license, licenses } = manifest(folder);
    const licence = license ?? licenses?.map(({ type }) => type).join(" or ");
    return { name, version, licence, texts: texts(folder, name, ours) };
  });
  const wrong = found.filter(({ licence, texts: own }) => licence === undefined || own.length === 0);
  if (wrong.length > 0) {
    const names = wrong.map(({ name }) => name).join(", ");
    throw new Error(`No licence or no licence text in: ${names}. Put the text into ${OURS}/NAME.txt (+ for /).`);
  }
  return found.map(
    ({ name, version, licence, texts: own }) => `${name} ${version} (${licence})\n\n${own.join("\n\n")}\n`,
  );
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function texts(folder: string, name: string, ours: string): string[] {
  const shipped = readdirSync(folder).filter((file) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(file));
  const own = join(ours, `${name.replace("/", "+")}.txt`);
  const files = shipped.length > 0 ? shipped.map((file) => join(folder, file)) : existsSync(own) ? [own] : [];
  return files.map((file) => readFileSync(file, "utf8").trim());
}

const HEADER =
  "The packages that mrsk bundles, each with its licence. The licence of mrsk itself is in the file LICENSE.\n";
const RULE = `\n${"-".repeat(80)}\n\n`;

/** Writes LICENSES.txt next to the bundle; a package without its licence fails the build. */
export const licences: Plugin = {
  name: "licences",
  generateBundle(_options, bundle) {
    const ids = Object.values(bundle).flatMap((output) => (output.type === "chunk" ? output.moduleIds : []));
    const source = [HEADER, ...licenceTexts(packagesOf(ids), OURS)].join(RULE);
    this.emitFile({ type: "asset", fileName: "LICENSES.txt", source });
  },
};
