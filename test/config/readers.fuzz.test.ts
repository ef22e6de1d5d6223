import fc from "fast-check";
import { expect, test } from "vitest";
import { LocalEnvironment } from "../../src/config/env/environment.ts";
import { renderErb } from "../../src/config/ruby/erb.ts";
import { loadConfig } from "../../src/config/load.ts";
import { MrskError } from "../../src/errors.ts";
import { inFolder, withRequired } from "./from-yaml.ts";

/** For any input, a reader returns a value or reports a position. */

/** The words of a list. `␠`, `⏎` and `␉` are a space, a newline and a tab. */
function tokens(text: string): string[] {
  return text.split(" ").map((word) => word.replaceAll("␠", " ").replaceAll("⏎", "\n").replaceAll("␉", "\t"));
}

/** Words of the grammar in any order, one word many times, and arbitrary text. */
function textOf(words: readonly string[]): fc.Arbitrary<string> {
  const word = fc.constantFrom(...words);
  const part = fc.oneof(
    { weight: 6, arbitrary: word },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
    { weight: 1, arbitrary: fc.tuple(word, fc.nat(300)).map(([one, count]) => one.repeat(count)) },
  );
  return fc.array(part, { maxLength: 25 }).map((parts) => parts.join(""));
}

/** The lines of a failure that have no position; the whole message, if the failure is not an expected one. */
async function linesWithoutPosition(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
    return [];
  } catch (error) {
    if (!(error instanceof MrskError)) return [(error as Error).stack!];
    return error.message.split("\n").filter((line) => !/^(?:deploy\.yml|x\.erb|\.env):\d+:\d+: ./.test(line));
  }
}

const YAML = tokens(
  "a b service servers web x-a labels env clear secret image __proto__ constructor toString << 1 0x_ 0b1 1e9 .inf ~ null yes 1:30 ⏎ ⏎␠␠ ⏎␠␠␠␠ :␠ : -␠ ?␠ [ ] { } ,␠ &a␠ *a !!str␠ !b␠ ' \" |⏎ >-⏎ # ---⏎ ...⏎ % \\ ␉ <% %> <%=␠1␠%> ${A}",
);

test("any YAML is read, or refused with positions", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(textOf(YAML), fc.boolean(), async (text, below) => {
      await inFolder({ "deploy.yml": below ? withRequired(text) : text }, async (cwd) => {
        const loading = loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment: new Map() });
        expect(await linesWithoutPosition(loading)).toEqual([]);
      });
    }),
    { numRuns: 200 },
  );
});

const RUBY = [
  ...tokens("x y nil true 1 2.5 1e400 99999999999999999999 if unless else end do each puts ENV File Dotenv fetch load"),
  ...tokens(
    "strip to_i to_s join split first valueOf constructor __proto__ <% <%= <%- <%# <%% %> -%> %%> ␠ ⏎ . &. ( )",
  ),
  ...tokens('[ ] { } |x| " \' #{ || && == ! + * - = ||= , ; ? : %w[a␠b] <%␠x="ab"␠%> <%␠x=x*x␠%> <%␠x=[x,x]␠%>'),
  ...tokens('<%␠x="#{x}#{x}"␠%> <%=␠ENV["A"]␠%> <%␠ENV["A"]="b"␠%> <%=␠ENV.fetch("B")␠%> <%=␠"a"*9␠%> <%=␠[1,[2]]␠%>'),
];

test("any template is rendered, or refused with positions", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(textOf(RUBY), async (text) => {
      // A generated command must not run.
      const template = text.replaceAll(/`|%x/g, "");
      const environment = new LocalEnvironment("/nowhere", { MRSK_RUBY: "off" });
      const rendering = renderErb(template, { file: "x.erb", environment, cwd: "/nowhere", note: () => {} });
      expect(await linesWithoutPosition(rendering)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

const DOTENV = tokens(
  "A B AB export __proto__ constructor = :␠ ␠ ⏎ \r⏎ ' \" \\ # $ ${ } $A ${B} \\n $( ) \0 \uFEFF \u2028",
);

test("any .env is read, or refused with positions", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(textOf(DOTENV), async (text) => {
      // A generated command must not run.
      await inFolder({ ".env": text.replaceAll("$(", "$") }, async (cwd) => {
        const environment = new LocalEnvironment(cwd, {});
        const reading = async () => {
          environment.load(".env");
          return [environment.notes, await environment.forCommands()];
        };
        expect(await linesWithoutPosition(reading())).toEqual([]);
      });
    }),
    { numRuns: 300 },
  );
});

test("a .env is read as by the pattern of Ruby's dotenv", { timeout: 60_000 }, async () => {
  // The pattern of dotenv 2. Its leading and trailing \s take quadratic time on blank lines.
  const original =
    /^\s*(?:export\s+)?([\w.]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|[^#\r\n]+)?\s*(?:#.*)?$/gm;
  const words = DOTENV.filter((word) => !/[$\\\0\uFEFF\u2028]/.test(word));
  const text = fc.array(fc.constantFrom(...words, "x"), { maxLength: 30 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(text, async (dotenv) => {
      const found = Array.from(dotenv.replaceAll(/\r\n?/g, "\n").matchAll(original), ([, name, value = ""]) => {
        return [name!, value.trim().replace(/^(['"])([^]*)\1$/, "$2")];
      });
      await inFolder({ ".env": dotenv }, async (cwd) => {
        const environment = new LocalEnvironment(cwd, {});
        environment.load(".env");
        expect(await environment.forCommands()).toEqual(Object.fromEntries(found));
      });
    }),
    { numRuns: 300 },
  );
});
