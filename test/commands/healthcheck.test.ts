import { expect, test } from "vitest";
import { deadlineSeconds, healthFlags, probeUrl } from "../../src/commands/healthcheck.ts";
import { line, role } from "../support/config.ts";

const check = role().healthcheck!;

test.each([
  [{}, "http://localhost:3000/up"],
  [{ path: "up?deep=1" }, "http://localhost:3000/up?deep=1"],
  [{ port: 80 }, "http://localhost/up"],
  [{ path: "http://other:81/x" }, "http://other:81/x"],
])("the URL of a health check is joined as a reference: %j", (overrides, expected) => {
  expect(probeUrl({ ...check, ...overrides })).toBe(expected);
});

test("a configured command replaces curl", () => {
  expect(line(healthFlags({ ...check, cmd: "bin/alive x", interval: "3s" }, { startInterval: false }))).toBe(
    "--health-cmd 'bin/alive x' --health-interval 3s",
  );
});

test("the deadline is that of MRSK's polling: 1 + 2 + … seconds, or that many intervals if longer", () => {
  expect(deadlineSeconds(check)).toBe(28);
  expect(deadlineSeconds({ ...check, maxAttempts: 3, intervalSeconds: 10 })).toBe(30);
});
