import { expect, test } from "vitest";
import { minimumVersionProblem } from "../../src/config/minimum-version.ts";
import { configOf, problemsOf, withRequired } from "./from-yaml.ts";

test.each(["0.13.0", "0.16.1", "1.9.0", "1.9.3", "1"])(
  "minimum_version: %s of MRSK or Kamal loads",
  async (version) => {
    expect((await configOf(withRequired(`minimum_version: ${version}\n`))).minimumVersion).toBe(version);
  },
);

test("a minimum_version that is too high is the only mistake reported: a newer file has newer keys", async () => {
  expect(await problemsOf(withRequired("minimum_version: 2.3.0\nproxy: {ssl: true}\n"))).toEqual([
    "deploy.yml:5:1: minimum_version: Current version is 1.9.3, minimum required is 2.3.0",
  ]);
});

test("minimum_version above Kamal 1.9.3 is compared with this program's version", () => {
  expect(minimumVersionProblem("2.3.0", "2.3.0")).toBeUndefined();
  expect(minimumVersionProblem("2.3.1", "2.3.0")).toBe("Current version is 2.3.0, minimum required is 2.3.1");
  expect(minimumVersionProblem("0.5.0", "0.1.0")).toBeUndefined();
});

// Above 1.9.3 the program's own version counts.
test.each([
  ["2.9.3", "2.10.0", true],
  ["2.10.0", "2.9.3", false],
  ["2.9", "2.9.0", false],
  ["2.9", "2.9.1", true],
  ["2.9.0.alpha", "2.9.0", true],
  ["2.9.0", "2.9.0.alpha", false],
  ["2.0.0-rc1", "2.0.0", true],
  ["2.0.0.beta", "2.0.0.alpha", false],
])("%s is older than %s: %s", (own, minimum, older) => {
  const problem = `Current version is ${own}, minimum required is ${minimum}`;
  expect(minimumVersionProblem(minimum, own)).toBe(older ? problem : undefined);
});
