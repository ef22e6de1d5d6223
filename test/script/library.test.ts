import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { call, needsOf, Program } from "../../src/script/call.ts";
import { ShellLibrary } from "../../src/script/library.ts";
import { lines } from "../../src/script/command.ts";
import { capture, needsOfScript, renderScript, script, step } from "../../src/script/script.ts";
import { CONSTANTS } from "../../src/shell/constants.ts";
import { functionNames, shellFiles } from "../support/shell-functions.ts";

const SOURCES = new URL("../../src/", import.meta.url).pathname;
const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(SOURCES, file), "utf8"))
  .join("\n");
const written = shellFiles.join("\n");
const missing = (library: ShellLibrary, ...names: string[]) =>
  library.missing(needsOf(names.map((name) => call(name))));
/** The text of each function as it is sent, by name. */
const functions = Array.from(
  missing(new ShellLibrary(), ...functionNames).matchAll(/^(\w+)\(\) [^]*?\n[)}]$/gm),
  ([text, name]) => [name!, text] as const,
);

test("every function of every file is loaded, and has a comment that begins with its name", () => {
  expect(functions.map(([name]) => name).toSorted()).toEqual(functionNames.toSorted());
  for (const name of functionNames) {
    expect(written).toMatch(new RegExp(`^# ${name}\\b.*\\n(?:#.*\\n)*${name}\\(\\)`, "m"));
  }
});

describe.each(functions)("%s", (name, text) => {
  test("has a name unlike any program's", () => {
    expect(name).toContain("_");
  });

  test("sets only variables that its comment names", () => {
    if (text.startsWith(`${name}() (`)) return;
    const comment = new RegExp(`((?:^#.*\\n)+)${name}\\(\\)`, "m").exec(written)![1]!;
    const outside = text.replaceAll(/'[^']*'/g, "");
    const set = Array.from(outside.matchAll(/(?:^|[;{ ])(?<!-v )([a-z_]+)=/gm), ([, variable]) => variable!);
    const read = Array.from(outside.matchAll(/\bread -r ((?:[a-z_]+ ?)+)/g), ([, names]) =>
      names!.trim().split(" "),
    ).flat();
    for (const variable of [...set, ...read].filter((one) => one !== "_")) {
      expect(comment).toMatch(new RegExp(`\\$${variable}\\b`));
    }
  });

  test("is called", () => {
    const called = functions.some(([other, body]) => other !== name && new RegExp(`\\b${name}\\b`).test(body));
    expect(called || new RegExp(`(?:call|Program)\\(\\s*"${name}"`).test(sources)).toBe(true);
  });
});

test("a constant replaces its name, and every name in capitals is a constant", () => {
  const capitals = Array.from(written.matchAll(/\$([A-Z_]{2,})\b/g), ([, name]) => name!);
  expect(capitals.filter((name) => !(name in CONSTANTS) && name !== "PATH")).toEqual([]);
  expect(missing(new ShellLibrary(), "end_unhealthy")).toContain('exit "66"');
});

test("each function is sent once, after the functions that it calls, without comments", () => {
  const library = new ShellLibrary();
  const first = missing(library, "wait_revision");
  expect(first.match(/^\w+\(\)/gm)!.toSorted()).toEqual([
    "end_not_loaded()",
    "pause_for()",
    "print_refusals()",
    "probe_route()",
    "wait_revision()",
  ]);
  expect(first).not.toMatch(/^\s|^#/m);
  expect(missing(library, "wait_revision", "pause_for")).toBe("");
  expect(missing(library, "wait_route_gone").match(/^\w+\(\)/gm)).toEqual(["read_clock()", "wait_route_gone()"]);
});

test("a script without calls gets no function", () => {
  expect(needsOfScript(script("Logs", [step("Logs", ["docker", "logs", "x"])])).functions.size).toBe(0);
});

test("calls in conditions, in lists and in programs are found", () => {
  const body = lines(
    call("or_remove", "file", call("wait_docker")),
    call("run_detached", new Program("replace_alone")),
  );
  const { functions: names, programs } = needsOf([body]);
  expect([...names, ...programs]).toEqual(["or_remove", "wait_docker", "run_detached", "replace_alone"]);
});

test("an output cannot be used before its capture step", () => {
  const one = capture("one", "One", ["echo", 1]);
  expect(() => renderScript(script("Test", [step("Two", ["echo", one.output]), one]), "00")).toThrow(
    'the script "Test" uses out_one before it is captured',
  );
});
