import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { loadEnvironment } from "../../../src/config/env/environment.ts";
import { Secrets } from "../../../src/config/env/secrets.ts";
import { inFolder, withRequired } from "../from-yaml.ts";

const PATH = process.env["PATH"] ?? "";

async function valueOf(dotenv: string, processEnvironment: Record<string, string> = {}): Promise<string | undefined> {
  return inFolder({ ".env": dotenv }, async (cwd) =>
    (await loadEnvironment({ cwd, destination: undefined, processEnvironment })).get("X"),
  );
}

test.each([
  ["X=1", "1"],
  ["X: 1", "1"],
  ["export X=1", "1"],
  ["  X = a b  ", "a b"],
  ["X=a # comment", "a"],
  ['X="a # b" # comment', "a # b"],
  ["X=", ""],
  ["X='a\\nb $Y'", "a\\nb $Y"],
  ['X="a\\nb"', "a\nb"],
  ['X="say \\"hi\\""', 'say "hi"'],
  ['X="cost \\$5"', "cost $5"],
  ["X=cost \\$5", "cost $5"],
  ['X="a\nb"', "a\nb"],
  ["Y=y\nX=$Y-${Y}", "y-y"],
  ["X=${NOPE}-", "-"],
  ["X=$Y\nY=later", ""],
  ["X=1\nX=2", "2"],
  ["X=1\nX=${X}2", "12"],
  ["X=`not run`", "`not run`"],
  ["X=$", "$"],
  ["X=$(echo hi)", "hi"],
  ["Y=y\nX=a$(printf '%s' \"$Y\")b", "ayb"],
  ["X=$(echo $(echo deep))", "deep"],
  ["X=\\$(echo hi)", "$(echo hi)"],
  ["X='$(echo hi)'", "$(echo hi)"],
  ["#X=1", undefined],
])("%s is read as by Ruby's dotenv", async (text, value) => {
  expect(await valueOf(text)).toBe(value);
});

test("any text in single quotes is kept, and in double quotes if quotes, dollars and backslashes are escaped", async () => {
  const unquoted = fc.string().filter((text) => !/['\\\r\n]/.test(text));
  await fc.assert(
    fc.asyncProperty(unquoted, async (text) => {
      expect(await valueOf(`X='${text}'`)).toBe(text);
    }),
    { numRuns: 50 },
  );
  // An escaped dollar sign before an open parenthesis without its end keeps the backslash, as in Ruby's dotenv.
  const escapable = fc.string().filter((text) => !/[\\\r\n'`]|\$\(/.test(text));
  await fc.assert(
    fc.asyncProperty(escapable, async (text) => {
      expect(await valueOf(`X="${text.replaceAll(/["$]/g, "\\$&")}"`)).toBe(text);
    }),
    { numRuns: 50 },
  );
});

test("the process wins over the files, the destination's file over .env", async () => {
  const files = { ".env": "A=env\nB=env\nC=env-$B\nD=env", ".env.staging": "A=staging\nB=staging" };
  const all = await inFolder(files, async (cwd) =>
    (await loadEnvironment({ cwd, destination: "staging", processEnvironment: { A: "process", D: "" } })).forCommands(),
  );
  expect(all).toEqual({ A: "process", B: "staging", C: "env-staging", D: "" });
});

test("without files the variables are those of the process", async () => {
  const environment = await loadEnvironment({ cwd: "/nowhere", destination: "x", processEnvironment: { A: "1" } });
  expect(await environment.forCommands()).toEqual({ A: "1" });
});

test("a command runs once, when its value is needed, and not for other values", async () => {
  await inFolder({ ".env": "A=$(echo ran >> log; echo a)\nB=b\nC=$A\n" }, async (cwd) => {
    const environment = await loadEnvironment({ cwd, destination: undefined, processEnvironment: { PATH } });
    expect(await environment.get("B")).toBe("b");
    expect(await environment.forCommands()).toEqual({ PATH, B: "b" });
    expect(existsSync(join(cwd, "log"))).toBe(false);
    expect(await Promise.all([environment.get("A"), environment.get("A"), environment.get("C")])).toEqual([
      "a",
      "a",
      "a",
    ]);
    expect(readFileSync(join(cwd, "log"), "utf8")).toBe("ran\n");
  });
});

test("all failed commands are reported in one error, with file and line", async () => {
  const files = { ".env": "# secrets\nA=$(echo locked >&2; exit 2)\nB=$(exit 3)\n" };
  await inFolder(files, async (cwd) => {
    const environment = await loadEnvironment({ cwd, destination: undefined, processEnvironment: { PATH } });
    const needs = ["A", "B", "C"].map((name) => ({ name, requiredBy: "env/secret" }));
    await expect(new Secrets(environment).resolve(needs)).rejects.toMatchObject({
      problems: [
        ".env:2:1: A: $(echo locked >&2; exit 2) failed (exit status 2): locked",
        ".env:3:1: B: $(exit 3) failed (exit status 3)",
        "C is not set (required by env/secret)",
      ],
    });
  });
});

test("every missing or unusable secret is reported with the keys that require it", async () => {
  const secrets = new Secrets(
    new Map([
      ["NUL", "a\0b"],
      ["LONG", "é".repeat(70_000)],
      ["PATH", "/bin"],
      ["DOCKER_HOST", "x"],
      ["DOCKER_PASSWORD", "fine"],
      ["a-b", "x"],
    ]),
  );
  const names = ["NOPE", "NUL", "LONG", "PATH", "DOCKER_HOST", "DOCKER_PASSWORD", "a-b"];
  const needs = [...names.map((name) => ({ name, requiredBy: "env/secret" })), { name: "NOPE", requiredBy: "db/env" }];
  await expect(secrets.resolve(needs)).rejects.toMatchObject({
    exitCode: 3,
    problems: [
      "NOPE is not set (required by env/secret, db/env)",
      "NUL cannot be used: it has a NUL byte in it (required by env/secret)",
      "LONG cannot be used: with its name it is longer than the 131071 bytes that Linux takes (required by env/secret)",
      "PATH cannot be a secret: docker or the shell on the host uses a variable of this name: choose another name (required by env/secret)",
      "DOCKER_HOST cannot be a secret: docker or the shell on the host uses a variable of this name: choose another name (required by env/secret)",
      "a-b cannot be a secret: a name has letters, digits and _, and no digit in front (required by env/secret)",
    ],
  });
});

test("a variable that the dynamic loader or a shell reads cannot be a secret, and all secrets of a key have a common limit", async () => {
  const large = ["A", "B", "C"].map((letter) => Array.from({ length: 6 }, (_, i) => `${letter}${i}`)).flat();
  const environment = new Map(
    ["LD_PRELOAD", "BASH_ENV", "DOCKER_CONTENT_TRUST", ...large].map((name) => [name, "x".repeat(120_000)]),
  );
  const needs = [
    ...large.map((name) => ({ name, requiredBy: "env/secret" })),
    ...["LD_PRELOAD", "BASH_ENV", "DOCKER_CONTENT_TRUST", "a.b"].map((name) => ({ name, requiredBy: "db/env" })),
  ];
  await expect(new Secrets(environment).resolve(needs)).rejects.toMatchObject({
    problems: [
      expect.stringMatching(/^LD_PRELOAD cannot be a secret/),
      expect.stringMatching(/^BASH_ENV cannot be a secret/),
      expect.stringMatching(/^DOCKER_CONTENT_TRUST cannot be a secret/),
      expect.stringMatching(/^a\.b cannot be a secret/),
      "env/secret: its secrets have 2160036 bytes together, more than the 1900000 a command can take",
    ],
  });
});

test("an empty secret is a value", async () => {
  const found = await new Secrets(new Map([["E", ""]])).resolve([{ name: "E", requiredBy: "env/secret" }]);
  expect(found.get("E")!.reveal()).toBe("");
});

test("ERB in the config sees the variables of .env", async () => {
  const files = { ".env": "TAG=v$(echo 1)\n", "deploy.yml": withRequired('env: {A: <%= ENV["TAG"] %>}\n') };
  const config = await inFolder(files, async (cwd) => {
    const environment = await loadEnvironment({ cwd, destination: undefined, processEnvironment: { PATH } });
    return loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment });
  });
  expect(config.env.clear).toEqual(new Map([["A", "v1"]]));
});
