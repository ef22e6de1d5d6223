import { UsageError } from "../../errors.ts";
import { placeholders, SECTIONS } from "./reference.ts";
import type { KeyReference, Section } from "./types.ts";

/** The list of sections, for `mrsk docs`. */
export function sectionList(): string {
  const width = Math.max(...SECTIONS.map(({ name }) => name.length)) + 2;
  const lines = SECTIONS.map(({ name, meaning }) => `  ${name.padEnd(width)}${meaning.split(/(?<=\.)\s/)[0]}`);
  return `Sections of deploy.yml:\n${lines.join("\n")}\n\nmrsk docs SECTION shows its keys, mrsk docs KEY one key, mrsk docs --schema a JSON Schema for editors.\n`;
}

/**
 * A section by its name or singular, otherwise every key of that name, otherwise a section by its beginning.
 * @throws UsageError if there is no such section or key
 */
export function docsText(wanted: string): string {
  const found = findDocs(wanted) ?? sectionBeginningWith(nameOf(wanted));
  if (found !== undefined) return found;
  throw new UsageError(`There is no section or key '${wanted}'`, {
    hint: `Sections: ${SECTIONS.map((section) => section.name).join(", ")}.`,
  });
}

/** As `docsText`, but by a whole name only; undefined if there is no such section or key. */
export function findDocs(wanted: string): string | undefined {
  const name = nameOf(wanted);
  const section = SECTIONS.find((one) => one.name === (SYNONYMS.get(name) ?? name));
  if (section) return sectionText(section);
  const topic = TOPICS.get(name);
  const keys = SECTIONS.flatMap((one) =>
    one.keys
      .filter(
        ({ key }) => topic?.includes(pathIn(one, key)) ?? (key === name || pathIn(one, key).toLowerCase() === name),
      )
      .map((key) => keyText(one, key)),
  );
  return keys.length === 0 ? undefined : keys.join("\n");
}

/** The keys of several sections that belong to one guide. */
const TOPICS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "secrets",
    [
      "secrets_path",
      "registry.username",
      "registry.password",
      "env.secret",
      "env.tags",
      "builder.secrets",
      "builder.allow_tracked_env",
      "accessories.NAME.registry",
      "accessories.NAME.env",
      "proxy.ssl.certificate_pem",
      "proxy.ssl.private_key_pem",
      "traefik.env",
      "ssh.key_data",
    ],
  ],
]);

function nameOf(wanted: string): string {
  return wanted.toLowerCase().replaceAll("-", "_");
}

function sectionBeginningWith(name: string): string | undefined {
  const section = SECTIONS.find((one) => one.name.startsWith(name));
  return section && sectionText(section);
}

/** Other names of sections, some as Kamal calls them. */
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
