import type { Command } from "commander";
import { expect, test } from "vitest";
import { buildProgram } from "../../src/cli/main.ts";
import { shellWords } from "../support/shell-words.ts";
import { SURFACE } from "./table.ts";
import { type Did, typed } from "./typed.ts";

const FILES = { "config/deploy.staging.yml": "labels: { app_of_staging: yes }\n" };

/** Every command and option of the program, hidden ones included, as in the first column of the table. */
function tree(command: Command = buildProgram(), words: readonly string[] = []): string[] {
  const own = command.options.map(({ long, short }) => [...words, long, short].filter(Boolean).join(" "));
  const below = command.commands.flatMap((child) => {
    const path = [...words, child.name()];
    return [path.join(" "), ...tree(child, path)];
  });
  return [...own, ...below];
}

test("every command and option has a row, and every row is a command or an option", () => {
  expect(SURFACE.map(([row]) => row).toSorted()).toEqual(tree().toSorted());
});

test.each(SURFACE.map(([row, line, ...effects]) => ({ row, line, effects })))(
  "$row: mrsk $line",
  async ({ line, effects }) => {
    const did = await typed(shellWords(line), FILES);
    const wanted = effects.some((effect) => effect.startsWith("exit>")) ? effects : ["exit> 0", ...effects];
    expect(wanted.filter((effect) => !holds(did, effect)).map((effect) => `${effect}\n${did.stderr}`)).toEqual([]);
  },
);

function holds(did: Did, effect: string): boolean {
  const absent = effect.startsWith("!");
  const [, where = "", text = ""] = /^!?(\w+)> ?(.*)$/s.exec(effect)!;
  return seen(did, where, text) !== absent;
}

function seen({ sent, stdout, stderr, status }: Did, where: string, text: string): boolean {
  switch (where) {
    case "exit":
      return String(status) === text;
    case "out":
      return stdout.includes(text);
    case "err":
      return stderr.includes(text);
    default:
      return sent.some((line) => line.startsWith(`${where}> `) && line.includes(text));
  }
}
