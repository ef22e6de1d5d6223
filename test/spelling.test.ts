import { expect, test } from "vitest";
import { didYouMean, similarNames } from "../src/spelling.ts";

const NAMES = ["boot", "bootstrap", "reboot", "stale-containers", "logs", "log"];

test.each([
  ["boot", ["boot"]],
  ["boots", ["bootstrap"]],
  ["stale_con", ["stale-containers"]],
  ["BOOT", ["boot"]],
  ["rebot", ["reboot"]],
  ["logz", ["logs", "log"]],
  ["history", []],
  ["", []],
])("the names similar to %j are %j", (word, names) => {
  expect(similarNames(word, NAMES)).toEqual(names);
});

test("a suggestion is one sentence, or none", () => {
  expect([[], ["a"], ["a", "b"]].map(didYouMean)).toEqual([undefined, "Did you mean a?", "Did you mean one of a, b?"]);
});
