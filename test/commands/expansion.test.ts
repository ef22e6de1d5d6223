import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { words } from "../../src/commands/arguments.ts";
import { type Command, docker } from "../../src/script/command.ts";
import { expand, expandable, expansions, volume } from "../../src/commands/expansion.ts";
import { accessory, config, line, role } from "../support/config.ts";

const TEXT = fc.string({ unit: "binary", maxLength: 12 }).filter((text) => !text.includes("\0"));
const ODD = fc.string({ unit: fc.constantFrom(...Array.from(" \t\n'\"\\$`{}!#~*?[]()&|;<>=-éa1😀")), maxLength: 12 });

/** The arguments that `/bin/sh` makes of the words. */
function throughShell(command: Command, environment: Record<string, string> = {}): string[] {
  const output = execFileSync("/bin/sh", ["-c", line(["printf", String.raw`%s\0`, ...command])], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...environment },
  });
  return output.split("\0").slice(0, -1);
}

test("every text arrives byte for byte", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(TEXT, ODD), { minLength: 1, maxLength: 6 }), (texts) => {
      expect(throughShell(texts)).toEqual(texts);
    }),
    { numRuns: 150 },
  );
});

test("around ${NAME} every text arrives byte for byte, and the shell replaces it as expand does", () => {
  const piece = fc.oneof(ODD, fc.constantFrom("${A}", "${B:-x y}", '${B:-"$(id)`\\}', "${EMPTY:-d}"));
  const values = new Map([
    ["A", "value of $A"],
    ["EMPTY", ""],
  ]);
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
      const text = pieces.join("");
      expect(throughShell([expandable(text)], Object.fromEntries(values))).toEqual([expand(text, values)]);
    }),
    { numRuns: 150 },
  );
});

test("each name is found once, and only in a complete ${…}", () => {
  const clear = new Map([["X", "${A} ${B:-x}"], ["Y", "${A} $C ${D-x} ${"]]); // biome-ignore format: one line
  expect(expansions(config({ env: { clear, secret: [] } }))).toEqual(["A", "B"]);
});

test("expand replaces complete ${…} only", () => {
  expect(expand("x${A}y$Z${A:-d}${N:-d}${", new Map([["A", "1"]]))).toBe("x1y$Z1d${");
});

test.each([
  ["$PWD/x:/y", '"${PWD}"/x:/y'],
  ["${PWD}/x y:/y", "\"${PWD}\"'/x y:/y'"],
  ["$(pwd)/x:/y", '"${PWD}"/x:/y'],
  ["~/x:/y", '"${HOME}"/x:/y'],
  ["name:/y:ro", "name:/y:ro"],
  ["/a~/x:/y", "'/a~/x:/y'"],
])("the volume %s is %s to the shell", (given, expected) => {
  expect(line(docker(volume(given)))).toBe(`docker ${expected}`);
});

test("names are found in every setting whose ${NAME} MRSK left to the shell", () => {
  const env = (name: string) => ({ clear: new Map([["X", `\${${name}}`]]), secret: [] });
  const all = config({
    env: env("A"),
    volumes: ["$B/x:/x"],
    roles: [role({ labels: new Map([["l", "${C}"]]), options: new Map([["o", ["${D}", "${E}"]]]), env: env("F") })],
    accessories: [accessory({ volumes: ["~/x:/x"], labels: new Map([["l", "${G}"]]), env: env("H") })],
    traefik: { ...config().traefik, args: new Map([["a", "${I}"]]), options: new Map<string, string | true>([["o", "${J}"], ["p", true]]) }, // biome-ignore format: one line
    logging: { driver: undefined, options: new Map([["tag", "${K}"]]) },
  });
  expect(expansions(all).toSorted()).toEqual(["A", "B", "C", "D", "E", "F", "G", "H", "HOME", "I", "J", "K"]);
});

test.each([
  ["bin/server --mode api", ["bin/server", "--mode", "api"]],
  ["sh -c 'a && b \"$X\"'", ["sh", "-c", 'a && b "$X"']],
  [String.raw`a\ b "c \"d\" \n" '' e''f`, ["a b", String.raw`c "d" \n`, "", "ef"]],
  ["run $HOME ${X} && *", ["run", "$HOME", "${X}", "&&", "*"]],
  ["  ", []],
  [undefined, []],
])("the command %s is the words %j", (text, expected) => {
  expect(words(text)).toEqual(expected);
});

test("an open quote is an error that shows the command", () => {
  expect(() => words("echo 'a")).toThrow("A quote is left open in: echo 'a");
});

test("a command's words, quoted again, split into the same words", () => {
  fc.assert(
    fc.property(fc.array(ODD, { minLength: 1 }), (texts) => {
      expect(words(line(texts))).toEqual(texts);
    }),
  );
});
