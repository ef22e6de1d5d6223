import { expect, test } from "vitest";
import { wantsColor } from "../../src/output/color.ts";

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: "1" }, true, false],
  [{ CI: "true" }, true, false],
  [{ FORCE_COLOR: "1", CI: "true" }, false, true],
  [{ FORCE_COLOR: "0" }, true, false],
  [{ SSHKIT_COLOR: "1" }, false, true],
])("with %j and a terminal: %s, colours: %s", (environment, terminal, colours) => {
  expect(wantsColor(environment, terminal)).toBe(colours);
});
