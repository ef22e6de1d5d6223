import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { showConfig } from "../../src/flow/config.ts";
import { configOf } from "../config/from-yaml.ts";
import { fakeRun } from "../support/fake-run.ts";

const FULL = readFileSync(new URL("../fixtures/full.yml", import.meta.url), "utf8");

test("config prints the same in YAML and JSON, without anchors and secrets", async () => {
  const run = fakeRun(await configOf(FULL));
  await showConfig(run, { json: false });
  await showConfig(run, { json: true });
  const [yaml, json] = run.printed as [string, string];
  expect(parse(yaml)).toEqual(JSON.parse(json));
  expect(yaml).not.toMatch(/[&*]a\d/);
  expect(yaml).not.toMatch(/secret-(?:build-arg|key-data)|registry-user/);
});
