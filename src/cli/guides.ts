import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A chapter of the documentation: `src/docs/NAME.md`. */
export interface Guide {
  readonly name: string;
  /** Its second paragraph, without the full stop. */
  readonly summary: string;
  readonly text: string;
}

/** `src/docs`, which is part of the package: relative to `dist/` (bundled) or to `src/cli/` (run from the sources). */
function folder(): string {
  const here = import.meta.dirname;
  return [join(here, "../src/docs"), join(here, "../docs")].find((path) => existsSync(path))!;
}

function guideNames(): string[] {
  return readdirSync(folder())
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.replace(/\.md$/, ""))
    .toSorted();
}

function readGuide(name: string): Guide {
  const text = readFileSync(join(folder(), `${name}.md`), "utf8");
  return { name, summary: text.split("\n\n")[1]!.replace(/\.$/, ""), text };
}

/** Every guide, by name. */
function guides(): Guide[] {
  return guideNames().map(readGuide);
}

/** The guide of that name, or the only guide whose name begins with it. Reads no other guide. */
export function findGuide(wanted: string): Guide | undefined {
  const name = wanted.toLowerCase().replaceAll("_", "-");
  const names = guideNames();
  const begun = names.filter((one) => one.startsWith(name));
  const found = names.includes(name) ? name : begun.length === 1 ? begun[0] : undefined;
  return found === undefined ? undefined : readGuide(found);
}

/** A line for each guide: name and summary. */
export function guideList(): string {
  const all = guides();
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  return `Guides:\n${all.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`).join("\n")}\n`;
}
