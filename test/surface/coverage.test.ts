import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { buildProgram } from "../../src/cli/main.ts";
import { LATER } from "./later.ts";
import { SHOWN } from "./table.ts";

const ROOT = join(import.meta.dirname, "../..");
const sources = new Map<string, string>();

/** Whether the file has the title, as the literal that a test is named by. */
function isThere(named: string): boolean {
  const [file = ""] = named.split(": ", 1);
  const path = join(ROOT, "test", `${file}.test.ts`);
  if (!sources.has(file)) sources.set(file, existsSync(path) ? readFileSync(path, "utf8") : "");
  const title = named.slice(file.length + 2);
  return ['"', "'", "`"].some((quote) => sources.get(file)!.includes(`${quote}${title}${quote}`));
}

/** Every command and option of the tree, hidden ones too, in the words of the table. */
function tree(command: Command = buildProgram(), words: readonly string[] = []): string[] {
  const own = command.options.map(({ long, short }) => [...words, long, short].filter(Boolean).join(" "));
  const below = command.commands.flatMap((child) => {
    const path = [...words, child.name()];
    return [path.join(" "), ...tree(child, path)];
  });
  return [...own, ...below];
}

test("every command and option has a row, and every row is a command or an option", () => {
  expect(Object.keys(SHOWN).toSorted()).toEqual(tree().toSorted());
});

test.each(Object.entries(SHOWN))("%s is shown by tests that exist", (_, tests) => {
  expect(tests).not.toEqual([]);
  expect(tests.filter((named) => !isThere(named))).toEqual([]);
});

/** Bugs of the original (7.1) on the command line, in flow, lock, audit and output. */
const BUGS = "1 2 3 4 5 7 8 9 10 11 12 13 14 15 16 17 18 19 23 24 26 33 35 36 37 38 40 42 43 44 45 46 47 48 49".split(
  " ",
);

test("each bug that is not copied has a test of its name", () => {
  const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" });
  const texts = files
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(ROOT, "test", file), "utf8"));
  expect(BUGS.filter((row) => !texts.some((text) => text.includes(`test("7.1 row ${row}: `)))).toEqual([]);
});

/** A hook is promised in the README, and `init` writes a sample of it. */
function isHook(name: string): boolean {
  const told = readFileSync(join(ROOT, "README.md"), "utf8").includes(`\`${name}\``);
  return told && existsSync(join(ROOT, `templates/hooks/${name}.sample`));
}

test.each(LATER)("%s, %s: %s", (_release, row, _promise, named) => {
  const [, hook] = row.split("hook ");
  expect(hook === undefined ? row in SHOWN : isHook(hook)).toBe(true);
  expect(isThere(named)).toBe(true);
});
