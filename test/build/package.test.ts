import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(resolve(ROOT, "package.json"), "utf8")) as Record<string, unknown> & {
  scripts: Record<string, string>;
};

test("an installation has no dependencies and runs no script", () => {
  for (const kind of ["dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies"]) {
    expect(manifest).not.toHaveProperty(kind);
  }
  for (const script of ["preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare"]) {
    expect(manifest.scripts).not.toHaveProperty(script);
  }
});

test("the manifest has a description, a licence and the repository's address", () => {
  for (const key of ["description", "keywords", "homepage", "repository", "bugs", "license"]) {
    expect(manifest).toHaveProperty(key);
  }
});
