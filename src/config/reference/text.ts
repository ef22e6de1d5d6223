import { UsageError } from "../../errors.ts";
import { placeholders, SECTIONS } from "./reference.ts";
import type { KeyReference, Section } from "./types.ts";

/** `mrsk docs`: the list of sections. */
export function sectionList(): string {
  const width = Math.max(...SECTIONS.map(({ name }) => name.length)) + 2;
  const lines = SECTIONS.map(({ name, meaning }) => `  ${name.padEnd(width)}${meaning.split(/(?<=\.)\s/)[0]}`);
  return `Sections of deploy.yml:\n${lines.join("\n")}\n\nmrsk docs SECTION shows its keys, mrsk docs KEY one key, mrsk docs --schema a JSON Schema for editors.\n`;
}

/** Whether a section or a key has exactly that name. */
export function hasDocs(wanted: string): boolean {
  const name = wanted.toLowerCase().replaceAll("-", "_");
  return SECTIONS.some(
    (section) => section.name === (SYNONYMS.get(name) ?? name) || section.keys.some(({ key }) => key === name),
  );
}

/**
 * A section by its name or singular; otherwise every key of that name; otherwise a section by its beginning.
 * @throws UsageError if there is none of them
 */
export function docsText(wanted: string): string {
  const name = wanted.toLowerCase().replaceAll("-", "_");
  const named = (test: (section: string) => boolean) => SECTIONS.find((section) => test(section.name));
  const whole = named((section) => section === (SYNONYMS.get(name) ?? name));
  if (whole) return sectionText(whole);
  const found = SECTIONS.flatMap((section) =>
    section.keys
      .filter(({ key }) => key === name || pathIn(section, key).toLowerCase() === name)
      .map((key) => keyText(section, key)),
  );
  if (found.length > 0) return found.join("\n");
  const begun = named((section) => section.startsWith(name));
  if (begun) return sectionText(begun);
  throw new UsageError(`There is no section or key '${wanted}'`, {
    hint: `Sections: ${SECTIONS.map((section) => section.name).join(", ")}.`,
  });
}

/** Kamal's names of the sections. */
const SYNONYMS = new Map([
  ["accessory", "accessories"],
  ["role", "servers"],
  ["roles", "servers"],
  ["server", "servers"],
]);

function sectionText(section: Section): string {
  const places = section.at.filter((at) => at !== "").map(placeholders);
  const where = places.length === 0 ? "" : `In: ${places.join(", ")}\n`;
  const keys = section.keys.map((key) => keyText(section, key));
  return `${section.name}\n\n${section.meaning}\n${where}\n${keys.join("\n")}`;
}

function keyText(section: Section, key: KeyReference): string {
  const facts = [key.type, key.default === "required" ? "required" : `default: ${key.default}`, age(key)];
  const example = key.example.split("\n").map((line) => `      ${line}`);
  return `  ${pathIn(section, key.key)}  (${facts.join("; ")})\n    ${meaningOf(key)}.\n${example.join("\n")}\n`;
}

function meaningOf(key: KeyReference): string {
  return key.pending ? `${key.meaning}. Accepted, without effect` : key.meaning;
}

function age({ since }: KeyReference): string {
  if (since === "new") return "new in mrsk";
  return since.startsWith("Kamal") ? `as ${since}` : `since MRSK ${since}`;
}

/** The path at the first place of the section; its other places have the same keys. */
function pathIn(section: Section, key: string): string {
  const [at] = section.at;
  return at === "" || at === undefined ? key : `${placeholders(at)}.${key}`;
}

/** The table of `src/docs/keys.md`. */
export function markdownTable(): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const rows = SECTIONS.flatMap((section) =>
    section.keys.map((key) =>
      [`\`${pathIn(section, key.key)}\``, key.type, key.default, key.since, meaningOf(key)].map(cell).join(" | "),
    ),
  );
  return [
    "| key | type | default | since | meaning |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row} |`),
    "",
  ].join("\n");
}
