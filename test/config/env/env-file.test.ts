import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LocalEnvironment, loadEnvironment } from "../../../src/config/env/environment.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { configOf, type Files, inFolder, problemsOf, withRequired } from "../from-yaml.ts";

const PATH = process.env["PATH"]!;

async function withFiles<T>(
  files: Files,
  work: (environment: LocalEnvironment, cwd: string) => Promise<T> | T,
  more: Readonly<Record<string, string>> = {},
): Promise<T> {
  return inFolder(files, async (cwd) =>
    work(await loadEnvironment({ cwd, destination: undefined, processEnvironment: { PATH, ...more } }), cwd),
  );
}

test.each([
  ["a folder", undefined, ".env:1:1: this is a folder, and should be a file"],
  ["UTF-16, little end first", Buffer.from("\uFEFFA=1\n", "utf16le"), ".env:1:1: the file is UTF-16: save it as UTF-8"],
  [
    "UTF-16, big end first",
    Buffer.from("\uFEFFA=1\n", "utf16le").swap16(),
    ".env:1:1: the file is UTF-16: save it as UTF-8",
  ],
  [
    "UTF-16 without its mark",
    Buffer.from("A=1\n", "utf16le"),
    ".env:1:2: there is a NUL byte here, as in UTF-16 or a binary file: save it as UTF-8",
  ],
  ["Latin-1", Buffer.from("A=1\nB=\xe4\n", "latin1"), ".env:2:3: this byte is not UTF-8: save the file as UTF-8"],
  ["too large", Buffer.alloc(4_000_001, "#"), ".env:1:1: the file is larger than the 4000000 bytes allowed"],
])("a .env that is %s is refused with its position", async (_, bytes, problem) => {
  await inFolder({}, async (cwd) => {
    if (bytes) writeFileSync(join(cwd, ".env"), bytes);
    else mkdirSync(join(cwd, ".env"));
    await expect(loadEnvironment({ cwd, destination: undefined, processEnvironment: {} })).rejects.toMatchObject({
      exitCode: 3,
      problems: [problem],
    });
  });
});

test("a deploy.yml that is a folder or UTF-16 is refused with the same message", async () => {
  await inFolder({}, async (cwd) => {
    const load = () => loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment: new Map() });
    mkdirSync(join(cwd, "deploy.yml"));
    await expect(load()).rejects.toThrow("deploy.yml:1:1: this is a folder, and should be a file");
    writeFileSync(join(cwd, "utf16.yml"), Buffer.from("\uFEFFservice: a\n", "utf16le"));
    const other = loadConfig({ file: "utf16.yml", destination: undefined, cwd, environment: new Map() });
    await expect(other).rejects.toThrow("utf16.yml:1:1: the file is UTF-16: save it as UTF-8");
  });
});

test.each([
  [
    "A=abc$def9",
    [
      ".env:1:1: A: a $name in the value is not set, so this part of the value is lost: for a literal dollar sign, write A='…' with single quotes",
    ],
  ],
  [
    '\n  A="abc${def9}"',
    [
      ".env:2:3: A: a $name in the value is not set, so this part of the value is lost: for a literal dollar sign, write A='…' with single quotes",
    ],
  ],
  [
    "A=$(echo a b | awk '{print $1}')",
    [
      ".env:1:1: A: a $name in the value is not set, so this part of the value is lost: for a literal dollar sign, write \\$",
    ],
  ],
  [
    "A=$B\nB=later",
    [
      ".env:1:1: A: a $name in the value is not set, so this part of the value is lost: for a literal dollar sign, write A='…' with single quotes",
    ],
  ],
  ["A='abc$def9'", []],
  ["A=abc\\$def9", []],
  ["A=5$ and $", []],
  ["B=\nA=$B$PATH", []],
  ["GIVEN=abc$def9", []],
])("%s reports the position of a lost part of a value, and not its text", async (text, expected) => {
  expect(await withFiles({ ".env": text }, ({ notes }) => notes, { GIVEN: "1" })).toEqual(expected);
});

test("20,000 lines that each use the one above are read in one pass", async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `V${index}=${index === 0 ? "x" : `$V${index - 1}`}\n\n`);
  const text = `${lines.join("")}SELF=1\n${"SELF=$SELF\n".repeat(20_000)}`;
  await withFiles({ ".env": text }, async (environment) => {
    expect(await environment.get("V19999")).toBe("x");
    expect(await environment.get("SELF")).toBe("1");
    expect(Object.keys(await environment.forCommands())).toHaveLength(20_002);
  });
});

test("values that double each other are refused with one error at their line", async () => {
  const text = `V0=x\n${Array.from({ length: 60 }, (_, index) => `V${index + 1}=$V${index}$V${index}\n`).join("")}`;
  await withFiles({ ".env": text }, async (environment) => {
    const problem =
      ".env:18:1: V17: with its name it is longer than the 131071 bytes that Linux takes: put it into a file of the image or of an accessory";
    await expect(environment.get("V60")).rejects.toMatchObject({ problems: [problem] });
  });
});

test("more values than a command can be started with are refused at their line", async () => {
  const text = Array.from({ length: 30 }, (_, index) => `V${index}=${"x".repeat(100_000)}\n`).join("");
  await withFiles({ ".env": text }, async (environment) => {
    const problem = ".env:20:1: V19: the values up to here have more than 1900000 characters together";
    await expect(environment.forCommands()).rejects.toMatchObject({
      problems: expect.arrayContaining([problem]) as string[],
    });
  });
});

test("every value that is too long for Linux is refused with its line, before any work", async () => {
  const text = `A=1\nB=${"x".repeat(131_069)}\n C="${"é".repeat(70_000)}"\nD=${"x".repeat(131_070)}\n`;
  await withFiles({ ".env": text }, async (environment) => {
    const message = "with its name it is longer than the 131071 bytes that Linux takes";
    await expect(environment.forCommands()).rejects.toMatchObject({
      problems: [
        `.env:3:2: C: ${message}: put it into a file of the image or of an accessory`,
        `.env:4:1: D: ${message}: put it into a file of the image or of an accessory`,
      ],
    });
  });
});

test("Dotenv.load adds the variables of its files that are not set yet, to ENV and to the secrets", async () => {
  const files = {
    ".env": "A=env\n",
    "one.env": "A=one\nB=one-$A\nGIVEN=one\n",
    "two.env": "B=two\nC=$(echo two)\n",
    "deploy.yml": withRequired(`x-a: <% Dotenv.load("one.env", "two.env", "none.env") %>
env: {A: <%= ENV["A"] %>, B: <%= ENV["B"] %>, C: <%= ENV.fetch("C") %>, D: "<%= ENV["D"] %>", GIVEN: <%= ENV["GIVEN"] %>}
`),
  };
  await withFiles(
    files,
    async (environment, cwd) => {
      const config = await loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment });
      expect(Object.fromEntries(config.env.clear)).toEqual({
        A: "env",
        B: "one-env",
        C: "two",
        D: "",
        GIVEN: "process",
      });
      expect(await environment.get("C")).toBe("two");
      expect(config.notes).toEqual(["deploy.yml:5:9: there is no file none.env, so Dotenv.load set nothing from it"]);
    },
    { GIVEN: "process" },
  );
});

test("Dotenv.load! fails if a file is missing", async () => {
  const files = { "deploy.yml": withRequired('x-a: <% Dotenv.load!("none.env") %>\n') };
  await withFiles(files, async (environment, cwd) => {
    const loading = loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment });
    await expect(loading).rejects.toMatchObject({
      problems: ["deploy.yml:5:9: cannot read none.env: no such file"],
    });
  });
});

test("a variable that deploy.yml sets in ENV is seen in the rest of the file, in the destination's file, by commands and by secrets", async () => {
  const files = {
    ".env": "A=env\nB=env\n",
    "deploy.yml": withRequired(`x-a: <% ENV["A"] = "erb"; ENV["B"] = nil; ENV["C"] ||= "c"; ENV["C"] ||= "d" %>
env: {A: <%= ENV["A"] %>, B: "<%= ENV["B"].nil? %>", C: <%= ENV["C"] %>, D: <%= \`printf %s "$A"\` %>}
`),
    "deploy.staging.yml": 'env: {E: <%= ENV["A"] %>}\n',
  };
  await withFiles(files, async (environment, cwd) => {
    const config = await loadConfig({ file: "deploy.yml", destination: "staging", cwd, environment });
    expect(Object.fromEntries(config.env.clear)).toEqual({ A: "erb", B: "true", C: "c", D: "erb", E: "erb" });
    expect(await environment.get("A")).toBe("erb");
    expect(await environment.get("B")).toBeUndefined();
    expect(await environment.forCommands()).toEqual({ PATH, A: "erb", C: "c" });
  });
});

test.each([
  ['<%= Dotenv.load("a")["X"] %>', '`Dotenv.load("a")` is not in the supported part of Ruby'],
  ['<% x = Dotenv.load("a") %>', '`Dotenv.load("a")` is not in the supported part of Ruby'],
  ['<% Dotenv.overload("a") %>', '`Dotenv.overload("a")` is not in the supported part of Ruby'],
  ['<% ENV["A"] = 1 %>', "a variable of ENV is a string or nil: write .to_s behind it"],
  ['<% ENV["A=B"] = "1" %>', '"A=B" cannot be a variable\'s name'],
  ["<% ENV[1] %>", "`ENV[1]` is not in the supported part of Ruby"],
  ['<% ENV["A", "b"] %>', '`ENV["A", "b"]` is not in the supported part of Ruby'],
  ['<% ENV.fetch("Q") { |key, **rest| key } %>', "`{ |key, **rest| key }` is not in the supported part of Ruby"],
  ['<% File.read("x", 3) %>', '`File.read("x", 3)` is not in the supported part of Ruby'],
  ['<% "a,b".split(/,/, 1) %>', '`split` cannot be called like this: `"a,b".split(/,/, 1)`'],
  ['<% require "aws-sdk" %>', '`require "aws-sdk"` is not in the supported part of Ruby'],
  ['<% require_relative "x" %>', '`require_relative "x"` is not in the supported part of Ruby'],
  ["<% x = 1 \x04 %>", "this control character would end the program, and leave out what follows: remove it"],
  ["<%\n__END__\n%>", "`__END__` would end the program, and leave out what follows: remove it"],
  ['<%= "\\xff" %>', '`"\\xff"` has bytes that are not UTF-8'],
  ["<% [1].each do |x, **y| %>a<%= x %><% end %>", "`do |x, **y|...` is not in the supported part of Ruby"],
  ["<% [1, 2].each { |x| puts x } %>", "`puts x` is not in the supported part of Ruby"],
])("%s is refused, and not ignored", async (tag, message) => {
  const problems = await problemsOf(withRequired(`x-a: ${tag}\n`));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^deploy\.yml:[56]:\d+: /);
  expect(problems[0]).toContain(message);
  expect(problems[0]).not.toContain("__text");
  expect(problems[0]).not.toContain("__output");
});

test.each([
  ["12345678901234567890", "12345678901234567890"],
  ["0xff", "255"],
  ["017", "15"],
  ["1_000", "1000"],
  ['[[1, 2], 3].join("-")', "1-2-3"],
  ['["\\#{a} \\e"].to_s', '["\\\\#{a} \\\\e"]'],
  ['"%%>"', "%>"],
  ['"\\u00a0x ".strip', "\u00a0x"],
])("<%%= %s %%> has the same value as in Ruby", async (code, value) => {
  const { env } = await configOf(withRequired(`env: {A: '<%= ${code} %>'}\n`));
  expect(env.clear.get("A")).toBe(value.replaceAll("\\\\", "\\"));
});
