import fc from "fast-check";
import { expect, test } from "vitest";
import { LocalEnvironment } from "../../src/config/environment.ts";
import { renderErb } from "../../src/config/erb.ts";
import { loadConfig } from "../../src/config/load.ts";
import { MrskError } from "../../src/errors.ts";
import { inFolder, withRequired } from "./from-yaml.ts";

/** No input makes a reader do anything but give a value, or say at which place it cannot. */

/** Words of the grammar, whole texts of it, and anything else. */
function textOf(...words: readonly string[]): fc.Arbitrary<string> {
  const part = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...words), fc.nat(300)).map(([word, count]) => word.repeat(count)),
    },
  );
  return fc.array(part, { maxLength: 25 }).map((parts) => parts.join(""));
}

async function expectValueOrPlace(work: Promise<unknown>): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return;
  expect(error).toBeInstanceOf(MrskError);
  for (const line of (error as MrskError).message.split("\n"))
    expect(line).toMatch(/^(?:deploy\.yml|x\.erb|\.env):\d+(?::\d+)?: ./);
}

const YAML = [
  ..."a b service servers web x-a labels env clear secret image __proto__ constructor toString << 1 0x_ 0b1 1e9 .inf ~ null yes 1:30".split(
    " ",
  ),
  ...[
    "\n",
    "\n  ",
    "\n    ",
    ": ",
    ":",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&a ",
    "*a",
    "!!str ",
    "!b ",
    "'",
    '"',
    "|\n",
    ">-\n",
    "#",
    "---\n",
    "...\n",
    "%",
    "\\",
    "\t",
    "<%",
    "%>",
    "<%= 1 %>",
    "${A}",
  ],
];

test("any YAML is read, or refused at its places", async () => {
  await fc.assert(
    fc.asyncProperty(textOf(...YAML), fc.boolean(), async (text, below) => {
      const yaml = below ? withRequired(text) : text;
      await inFolder({ "deploy.yml": yaml }, (cwd) =>
        expectValueOrPlace(loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment: new Map() })),
      );
    }),
    { numRuns: 400 },
  );
}, 60_000);

const RUBY = [
  ..."x y nil true 1 2.5 1e400 99999999999999999999 if unless else end do each puts ENV File Dotenv fetch load strip to_i to_s join split first valueOf constructor __proto__".split(
    " ",
  ),
  ...[
    "<%",
    "<%=",
    "<%-",
    "<%#",
    "<%%",
    "%>",
    "-%>",
    "%%>",
    " ",
    "\n",
    ".",
    "&.",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|x|",
    '"',
    "'",
    "#{",
    "||",
    "&&",
    "==",
    "!",
    "+",
    "*",
    "-",
    "=",
    "||=",
    ",",
    ";",
    "?",
    ":",
    "%w[a b]",
  ],
  ...[
    'x = "ab"',
    "x = x * x",
    'x = "#{x}#{x}"',
    "x = [x, x]",
    'ENV["A"]',
    'ENV["A"] = "b"',
    'ENV.fetch("B")',
    '"a" * 9',
    "[1, [2]]",
  ].map((code) => `<% ${code} %>`),
];

test("any template is rendered, or refused at its places", async () => {
  await fc.assert(
    fc.asyncProperty(textOf(...RUBY), async (text) => {
      // A command may do anything.
      const template = text.replaceAll(/[`]|%x/g, "");
      const environment = new LocalEnvironment("/nowhere", {});
      await expectValueOrPlace(renderErb(template, { file: "x.erb", environment, cwd: "/nowhere" }));
    }),
    { numRuns: 600 },
  );
}, 60_000);

const DOTENV = [
  ..."A B AB export __proto__ constructor".split(" "),
  ...[
    "=",
    ": ",
    " ",
    "\n",
    "\r\n",
    "'",
    '"',
    "\\",
    "#",
    "$",
    "${",
    "}",
    "$A",
    "${B}",
    "\\n",
    "$(",
    ")",
    "\0",
    "\uFEFF",
    "\u2028",
  ],
];

test("any .env is read, or refused at its places", async () => {
  await fc.assert(
    fc.asyncProperty(textOf(...DOTENV), async (text) => {
      await inFolder({ ".env": text }, async (cwd) => {
        await expectValueOrPlace(
          (async () => {
            const environment = new LocalEnvironment(cwd, {});
            environment.load(".env");
            expect(Array.isArray(environment.lost)).toBe(true);
            return environment.forCommands();
          })(),
        );
      });
    }),
    { numRuns: 600 },
  );
}, 60_000);

test("a .env of random lines is read as Ruby's own pattern reads it", async () => {
  // Of dotenv 2, with its leading and trailing \s, which take time in square of a run of blank lines.
  const original =
    /^\s*(?:export\s+)?([\w.]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|[^#\r\n]+)?\s*(?:#.*)?$/gm;
  const words = DOTENV.filter((word) => !/[$\\\0\uFEFF\u2028]/.test(word));
  const text = fc.array(fc.constantFrom(...words, "x"), { maxLength: 30 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(text, async (dotenv) => {
      const expected = new Map(
        Array.from(dotenv.replaceAll(/\r\n?/g, "\n").matchAll(original), ([, name, value = ""]): [string, string] => [
          name!,
          value.trim().replace(/^(['"])([^]*)\1$/, "$2"),
        ]),
      );
      await inFolder({ ".env": dotenv }, async (cwd) => {
        const environment = new LocalEnvironment(cwd, {});
        environment.load(".env");
        expect(Object.entries(await environment.all()).toSorted()).toEqual([...expected].toSorted());
      });
    }),
    { numRuns: 400 },
  );
}, 60_000);
