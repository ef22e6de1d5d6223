import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const PROGRAM = readFileSync(join(ROOT, "bin/mrsk.cjs"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "mrsk-start-"));

beforeAll(() => {
  for (const name of ["bin", "dist"]) mkdirSync(join(folder, name));
  for (const name of ["mrsk.cjs", "kamal"])
    cpSync(join(ROOT, "bin", name), join(folder, "bin", name), { recursive: true });
  writeFileSync(
    join(folder, "dist/cli.cjs"),
    'exports.start = () => console.log(["started", ...process.argv.slice(2)].join(" "));',
  );
});

/** Runs `bin/mrsk.cjs` with that `process.version`. */
async function startedBy(version: string) {
  const pretending = join(folder, `${version}.cjs`);
  writeFileSync(pretending, `Object.defineProperty(process, "version", { value: "${version}" });`);
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    ["--require", pretending, join(folder, "bin/mrsk.cjs"), "deploy"],
    { reject: false },
  );
  return { exitCode, stdout, stderr };
}

test.each(["v0.10.48", "v4.9.1", "v20.20.2", "v21.7.3"])("Node %s: one sentence, and exit code 2", async (version) => {
  const sentence = `mrsk needs Node 22 or newer, and this is ${version}: https://nodejs.org`;
  expect(await startedBy(version)).toEqual({ exitCode: 2, stdout: "", stderr: sentence });
});

test.each(["v22.0.0", "v24.1.0", "v26.12.1", "v100.0.0", process.version])("Node %s starts", async (version) => {
  expect(await startedBy(version)).toEqual({ exitCode: 0, stdout: "started deploy", stderr: "" });
});

test("the kamal of hooks is this program, run by the same Node with the same arguments", async () => {
  const env = { PATH: `${join(folder, "bin/kamal")}:/usr/bin:/bin`, MRSK_NODE: process.execPath };
  const { stdout } = await execa("/bin/sh", ["-c", "kamal app exec 'a b'"], { env, extendEnv: false });
  expect(stdout).toBe("started app exec a b");
});

test("the file is ES5, so that an old Node can parse it", () => {
  expect(
    PROGRAM.split("\n")
      .filter((line) => !/^(?:#!|\s*\/\/)/.test(line))
      .join("\n"),
  ).not.toMatch(/\b(?:let|const|class|async|await|import|export|of)\b|=>|`|\?\.|\?\?|\.\.\.|node:/);
});

test("the manifest, the types, the image and the README name the same oldest Node", () => {
  const text = (name: string) => readFileSync(join(ROOT, name), "utf8");
  const { engines, devDependencies } = JSON.parse(text("package.json")) as Record<string, Record<string, string>>;
  expect(engines).toEqual({ node: ">=22" });
  expect(devDependencies?.["@types/node"]).toMatch(/^22\./);
  expect(text("Dockerfile")).toContain("FROM node:22-");
  expect(text("README.md")).toContain("Node 22 or newer");
  expect(PROGRAM).toContain("var oldest = 22;");
});
