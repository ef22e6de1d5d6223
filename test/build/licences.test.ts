import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { licenceTexts, packagesOf } from "../../bin/bundle/licences.ts";

const folder = mkdtempSync(join(tmpdir(), "mrsk-licences-"));
mkdirSync(join(folder, "ours"));
writeFileSync(join(folder, "ours/@acme+wasm.txt"), "MIT of acme\n");

/** A package folder with these files. */
function installed(name: string, manifest: object, files: Readonly<Record<string, string>> = {}): string {
  const path = join(folder, "node_modules", name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "package.json"), JSON.stringify({ name, version: "1.2.3", ...manifest }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

const texts = (...folders: string[]) => licenceTexts(folders, join(folder, "ours"));

test("modules belong to the innermost package, once each; mrsk's sources to none", () => {
  expect(
    packagesOf([
      "/p/src/cli/main.ts",
      "/p/node_modules/chalk/source/index.js",
      "/p/node_modules/chalk/source/other.js",
      "/p/node_modules/@ruby/prism/src/index.js",
      "/p/node_modules/a/node_modules/b/index.js",
      "\0rolldown/runtime.js",
    ]),
  ).toEqual(["/p/node_modules/@ruby/prism", "/p/node_modules/a/node_modules/b", "/p/node_modules/chalk"]);
});

test("a package is listed with its version, its licence and every licence text that it ships", () => {
  const one = installed("one", { license: "Apache-2.0" }, { LICENSE: "Apache\n", "NOTICE.txt": "Notice\n" });
  const old = installed("old", { licenses: [{ type: "MIT" }] }, { "license.md": "MIT of old\n" });
  const wasm = installed("@acme/wasm", { license: "MIT" });
  expect(texts(one, old, wasm)).toEqual([
    "one 1.2.3 (Apache-2.0)\n\nApache\n\nNotice\n",
    "old 1.2.3 (MIT)\n\nMIT of old\n",
    "@acme/wasm 1.2.3 (MIT)\n\nMIT of acme\n",
  ]);
});

test("the error names all packages without a licence or its text", () => {
  const silent = installed("silent", { license: "MIT" }, { "licenses-of-others.js": "" });
  const unlicensed = installed("unlicensed", {}, { LICENSE: "All mine" });
  expect(() => texts(silent, unlicensed)).toThrow("No licence or no licence text in: silent, unlicensed.");
});
