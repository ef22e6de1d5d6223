import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { normalizeArgv } from "../../src/cli/argv.ts";
import { buildProgram } from "../../src/cli/main.ts";
import { addGlobalOptions } from "../../src/cli/options.ts";
import { words } from "../../src/commands/arguments.ts";
import { problemsOf } from "../config/from-yaml.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const pages = readdirSync(join(ROOT, "src/docs")).map((file) => readFileSync(join(ROOT, "src/docs", file), "utf8"));
/** The README and every guide. */
const documentation = [readFileSync(join(ROOT, "README.md"), "utf8"), ...pages].join("\n");

function blocks(language: string): string[] {
  return Array.from(documentation.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms")), ([, text]) => text!);
}

/** Every `mrsk …` command line: lines of shell blocks, and inline code. */
function commandLines(): string[] {
  const typed = blocks("sh").flatMap((block) => block.split("\n"));
  const inline = Array.from(documentation.matchAll(/`(mrsk [a-z-][^`…\n]*)`/g), ([, line]) => line!);
  const lines = [...typed, ...inline].map((line) => line.replace(/\s+#.*$/, "").replace(/\s+[<>].*$/, ""));
  return [...new Set(lines.filter((line) => line.startsWith("mrsk ")))];
}

/** Parses a command line as the program does, and runs nothing. @returns the error code, or an empty string */
async function refusal(argv: readonly string[]): Promise<string> {
  const program = buildProgram();
  const silence = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    for (const child of command.commands) silence(child);
  };
  silence(program);
  const normalized = normalizeArgv(program, argv);
  if (normalized.unknown !== undefined) return "unknown command";
  for (const command of normalized.path) addGlobalOptions(command);
  return program.parseAsync(normalized.words, { from: "user" }).then(
    () => "",
    (error: { code: string }) => error.code,
  );
}

describe("the program accepts each command line of the documentation", () => {
  test.each(commandLines())("%s", async (line) => {
    const [, ...argv] = words(line);
    // A sentence may name a group, or a command without its arguments.
    expect(["", "commander.help", "commander.missingArgument"]).toContain(await refusal(argv));
  });

  test("an unknown command or option is noticed", async () => {
    expect(await refusal(["deplyo"])).toBe("unknown command");
    await expect(refusal(["deploy", "--bogus"])).rejects.toThrow("Unknown option '--bogus'");
  });
});

const configurations = blocks("yaml").filter((block) => !/^# \.(?:github|gitlab|semaphore)/.test(block));

describe("each example of deploy.yml in the documentation loads", () => {
  test.each(configurations)("%s", async (block) => {
    const base = {
      service: "app",
      image: "acme/app",
      servers: ["192.0.2.1"],
      registry: { username: "u", password: ["P"] },
    };
    const config = { ...base, ...(parse(block) as object) };
    const wrong = await problemsOf(
      { "deploy.yml": stringify(config), "deploy.staging.yml": "labels: {}\n" },
      "require_destination" in config ? { destination: "staging" } : {},
    );
    expect(wrong).toEqual([]);
  });
});

test("the examples for CI are YAML", () => {
  const examples = blocks("yaml").filter((block) => !configurations.includes(block));
  expect(examples).toHaveLength(3);
  for (const example of examples) expect(Object.keys(parse(example) as object)).not.toEqual([]);
});

test("the program can print each message of the troubleshooting guide", () => {
  const guide = readFileSync(join(ROOT, "src/docs/troubleshooting.md"), "utf8");
  const messages = Array.from(guide.matchAll(/^\| (`[^|]*) \|/gm), ([, cell]) => cell!)
    .flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, message]) => message!))
    .flatMap((message) => message.split("…"))
    .map((part) => part.replace(/\(required by $/, "").trim())
    .filter((part) => part.length > 3);
  const sources = sourceText();
  // Docker prints these.
  const fromDocker = ["permission denied", "docker", "port is already allocated"];
  const missing = messages.filter(
    (message) => !fromDocker.includes(message) && !sources.includes(message.replace("root", "${options.user}")),
  );
  expect(missing).toEqual([]);
});

function sourceText(): string {
  const root = resolve(import.meta.dirname, "../../src");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(?:ts|sh)$/.test(path))
    .map((path) => readFileSync(resolve(root, path), "utf8"))
    .join("\n")
    .replaceAll("\\`", "`");
}

test.each([
  "an empty value",
  "`log.level=INFO`",
  "restart policy",
  "`--health-start-period`",
  "the host before each line",
  "without Ruby's symbols",
  "`mrsk app boot` without `--version` starts the version that runs",
  "no beginning of a command runs it",
  "options after the first word of an unquoted command",
  "separate exit codes",
  "`KAMAL_…`",
  "ends without an answer",
])("the migrating guide has one row for the difference: %s", (phrase) => {
  const guide = readFileSync(join(ROOT, "src/docs/migrating.md"), "utf8");
  const rows = guide.split("\n").filter((line) => /^\| .+ \|.* \|$/.test(line));
  expect(rows.filter((row) => row.includes(phrase))).toHaveLength(1);
});

test("the README has at most 150 lines, and links every guide", () => {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  expect(text.split("\n").length).toBeLessThanOrEqual(150);
  for (const file of readdirSync(join(ROOT, "src/docs"))) expect(text).toContain(`(src/docs/${file})`);
});

test("every link to a file of the repository has a target", () => {
  const linked = (text: string, from: string) =>
    Array.from(text.matchAll(/\]\((?!https?:|#)([^)#]+)/g), ([, path]) => resolve(ROOT, from, path!));
  const fromReadme = linked(readFileSync(join(ROOT, "README.md"), "utf8"), ".");
  const missing = [...fromReadme, ...pages.flatMap((page) => linked(page, "src/docs"))].filter(
    (path) => !existsSync(path),
  );
  expect(missing).toEqual([]);
});
