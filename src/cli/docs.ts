import type { Command } from "commander";

/** `mrsk docs`: every key of deploy.yml, from the reference that also makes the JSON Schema and the README's table. */
export function addDocs(program: Command): void {
  program
    .command("docs")
    .description("Explain the keys of deploy.yml")
    .argument("[section]", "a section, or a key such as drain_timeout; without one, the sections")
    .option("--schema", "print a JSON Schema, for editors")
    .option("--markdown", "print all keys as a Markdown table")
    .action(async (section: string | undefined, options: { schema?: boolean; markdown?: boolean }) => {
      process.stdout.write(await docs(section, options));
    });
}

async function docs(section: string | undefined, options: { schema?: boolean; markdown?: boolean }): Promise<string> {
  if (options.schema) {
    const { jsonSchema } = await import("../config/reference/schema.ts");
    return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
  }
  const { docsText, markdownTable, sectionList } = await import("../config/reference/text.ts");
  if (options.markdown) return markdownTable();
  return section === undefined ? sectionList() : docsText(section);
}
