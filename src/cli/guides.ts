import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A chapter of the documentation: `src/docs/NAME.md`. */
export interface Guide {
  readonly name: string;
  /** Its second paragraph, without the full stop. */
  readonly summary: string;
  readonly text: string;
}

/** `src/docs`, which the package has too: from `dist/` (bundled) or `src/cli/` (from sources). */
function folder(): string {
  const here = import.meta.dirname;
  return [join(here, "../src/docs"), join(here, "../docs")].find((path) => existsSync(path))!;
}

/** Every guide, by name. */
function guides(): Guide[] {
  return readdirSync(folder())
    .filter((file) => file.endsWith(".md"))
    .toSorted()
    .map((file) => {
      const text = readFileSync(join(folder(), file), "utf8");
      return { name: file.replace(/\.md$/, ""), summary: text.split("\n\n")[1]!.replace(/\.$/, ""), text };
    });
}

/** The guide of that name, or the only one whose name begins so. */
export function findGuide(wanted: string): Guide | undefined {
  const name = wanted.toLowerCase().replaceAll("_", "-");
  const all = guides();
  const begun = all.filter((guide) => guide.name.startsWith(name));
  return all.find((guide) => guide.name === name) ?? (begun.length === 1 ? begun[0] : undefined);
}

/** A line for each guide. */
export function guideList(): string {
  const all = guides();
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  return `Guides:\n${all.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`).join("\n")}\n`;
}
