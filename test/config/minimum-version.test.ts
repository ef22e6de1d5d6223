import { expect, test } from "vitest";
import { minimumVersionProblem } from "../../src/config/minimum-version.ts";
import { configOf, problemsOf, withRequired } from "./from-yaml.ts";

test.each(["0.13.0", "0.16.1", "1.9.0", "1.9.3", "1", "2.0.0", "2.12.0"])(
  "minimum_version: %s of MRSK or Kamal loads",
  async (version) => {
    expect((await configOf(withRequired(`minimum_version: ${version}\n`))).minimumVersion).toBe(version);
  },
);

test("a minimum_version that is too high is the only mistake reported: a newer file has newer keys", async () => {
  expect(await problemsOf(withRequired("minimum_version: 3.3.0\nfuture: {ssl: true}\n"))).toEqual([
    "deploy.yml:5:1: minimum_version: Current version is 2.12.0, minimum required is 3.3.0",
  ]);
});

test("minimum_version above Kamal 2.12.0 is compared with this program's version", () => {
  expect(minimumVersionProblem("3.3.0", "3.3.0")).toBeUndefined();
  expect(minimumVersionProblem("3.3.1", "3.3.0")).toBe("Current version is 3.3.0, minimum required is 3.3.1");
  expect(minimumVersionProblem("0.5.0", "0.1.0")).toBeUndefined();
});

// Above 2.12.0 the program's own version counts.
test.each([
  ["3.9.3", "3.10.0", true],
  ["3.10.0", "3.9.3", false],
  ["3.9", "3.9.0", false],
  ["3.9", "3.9.1", true],
  ["3.9.0.alpha", "3.9.0", true],
  ["3.9.0", "3.9.0.alpha", false],
  ["3.0.0-rc1", "3.0.0", true],
  ["3.0.0.beta", "3.0.0.alpha", false],
])("%s is older than %s: %s", (own, minimum, older) => {
  const problem = `Current version is ${own}, minimum required is ${minimum}`;
  expect(minimumVersionProblem(minimum, own)).toBe(older ? problem : undefined);
});
