import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { keyPaths } from "../../src/config/reference/reference.ts";
import { transcriptOf, type Written } from "../support/transcript.ts";
import { EFFECTS, type Effect, type Elsewhere } from "./effects.ts";

test("every key of the reference has a row here", () => {
  const paths = [...keyPaths()].filter(([, { pending }]) => !pending).map(([path]) => path);
  // The effect of a map is that of its keys.
  const leaves = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)));
  expect(leaves.filter((path) => !(path in EFFECTS))).toEqual([]);
  expect(Object.keys(EFFECTS).filter((path) => !paths.includes(path))).toEqual([]);
});

const shown = Object.entries(EFFECTS).filter((row): row is [string, Effect] => !("file" in row[1]));
const elsewhere = Object.entries(EFFECTS).filter((row): row is [string, Elsewhere] => "file" in row[1]);

describe("a key has its effect:", () => {
  test.each(shown)("%s", async (_, { yaml, base = "", see, gone, ...circumstances }) => {
    const before = await transcriptOf((parse(base) ?? {}) as Written, circumstances);
    const after = await transcriptOf(parse(yaml) as Written, circumstances);
    expect(see ? after : before).toMatch(see ?? gone!);
    expect(see ? before : after).not.toMatch(see ?? gone!);
  });

  test.each(elsewhere)("%s, in another file", (_, { file, test: title }) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect(text).toMatch(new RegExp(`(?:test|describe)(?:\\.each(?:<[^\n]*>)?\\([^]*?\\))?\\(\\s*"[^"]*${title}`));
  });
});

test("allow_empty_roles lets a role have no hosts", async () => {
  const empty = { servers: { web: ["10.0.0.1"], jobs: [] } };
  expect(await transcriptOf(empty)).toContain("No servers specified for the jobs role");
  expect(await transcriptOf({ ...empty, allow_empty_roles: true })).toMatch(/Start > Start app-web-2/);
});
