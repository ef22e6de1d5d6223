import type { Command } from "commander";

/** `mrsk docs`: the guides, and the reference of every key of deploy.yml. */
export function addDocs(program: Command): void {
  program
    .command("docs")
    .description("Show a guide, or explain the keys of deploy.yml")
    .argument("[section]", "a guide, a section, or a key such as drain_timeout; without one, the list of them")
    .option("--schema", "print a JSON Schema, for editors")
    .option("--markdown", "print all keys as a Markdown table")
    .action(async (section: string | undefined, options: { schema?: boolean; markdown?: boolean }) => {
      process.stdout.write(await docs(section, options));
    });
}

async function docs(wanted: string | undefined, options: { schema?: boolean; markdown?: boolean }): Promise<string> {
  if (options.schema) {
    const { jsonSchema } = await import("../config/reference/schema.ts");
    return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
  }
  const [{ docsText, findDocs, markdownTable, sectionList }, { findGuide, guideList }] = await Promise.all([
    import("../config/reference/text.ts"),
    import("./guides.ts"),
  ]);
  if (options.markdown) return markdownTable();
  if (wanted === undefined) return `${guideList()}\n${sectionList()}`;
  const guide = findGuide(wanted);
  if (!guide) return docsText(wanted);
  return [guide.text, findDocs(wanted)].filter(Boolean).join("\n");
}
