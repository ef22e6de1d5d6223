import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(resolve(ROOT, "package.json"), "utf8")) as Record<string, unknown> & {
  scripts: Record<string, string>;
};

test("an installation brings nothing but the package, and runs no script", () => {
  for (const kind of ["dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies"]) {
    expect(manifest).not.toHaveProperty(kind);
  }
  for (const script of ["preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare"]) {
    expect(manifest.scripts).not.toHaveProperty(script);
  }
});

test("the registry's page shows what it is, under which licence, and where it lives", () => {
  for (const key of ["description", "keywords", "homepage", "repository", "bugs", "license"]) {
    expect(manifest).toHaveProperty(key);
  }
});
