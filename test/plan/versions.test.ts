import { expect, test } from "vitest";
import { candidates, versionsOn } from "../../src/plan/versions.ts";
import { config, role } from "../support/config.ts";
import { aHost, container, stopped } from "../support/world.ts";

const FIRST = `4f2a9c1${"0".repeat(33)}`;
const SECOND = `4f2a9c1${"1".repeat(33)}`;
const CHANGED = `${FIRST}_uncommitted_0123456789abcdef`;
const LONG = `4f2a9c1${"0".repeat(57)}`;

test.each<[string, string, string[], string[]]>([
  ["seven digits", "4f2a9c1", [FIRST, "v1"], [FIRST]],
  ["more digits", FIRST.slice(0, 12), [FIRST, SECOND], [FIRST]],
  ["the full id", FIRST, [FIRST, SECOND], [FIRST]],
  ["the begin of several", "4f2a9c1", [SECOND, FIRST], [FIRST, SECOND]],
  ["the begin of a sha256", "4f2a9c1", [LONG], [LONG]],
  ["a version that is there as typed", "4f2a9c1", ["4f2a9c1", FIRST], ["4f2a9c1"]],
  ["too few digits", "4f2a9c", [FIRST], []],
  ["what is not there", "4f2a9c2", [FIRST], []],
  ["a full id that is not there", FIRST, [SECOND, "4f2a9c1"], []],
  ["a name", "v1", ["v10", "v1-rc1"], []],
  ["a date that begins another", "20240101", ["2024010112"], []],
  ["an id whose build had uncommitted changes", "4f2a9c1", [CHANGED], []],
])("%s: %s", (_, typed, there, meant) => {
  expect(candidates(typed, new Set(there))).toEqual(meant);
});

test("versions are those of the destination's containers, of releases and of what is on trial", () => {
  const world = aHost()
    .runs(container("web", 1), container("web", 3, { destination: "staging" }))
    .keeps(stopped("web", "2_replaced_0123456789abcdef"))
    .released("0", "1")
    .with({ canaryRelease: "4" });
  expect([...versionsOn(config({ roles: [role()] }), [world.facts()])].toSorted()).toEqual(["0", "1", "2", "4"]);
});
