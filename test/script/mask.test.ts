import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../src/config/env/secret.ts";
import { Mask } from "../../src/script/mask.ts";

const mask = (...values: string[]) => new Mask(values.map((value) => new Secret("NAME", value)));

test("complete values, their lines, and their JSON are masked", () => {
  const key = mask("-----BEGIN\nline one\nline two", 'say "hi"');
  expect(key.text("a line one b")).toBe("a [REDACTED] b");
  expect(key.text(String.raw`{"NAME":"say \"hi\""}`)).toBe('{"NAME":"[REDACTED]"}');
});

test("values of less than four characters are not masked", () => {
  expect(mask("abc", "1").text("abcdef 1")).toBe("abcdef 1");
  expect(mask("abcd").text("abcdef")).toBe("[REDACTED]ef");
});

describe("shapes of a value", () => {
  const SIGNS = `p&s<w>o'r"d\\ $1 é`;
  const KEY = "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0\r\nsecond+line/of=key\r\n";
  const CODE = "A-long-value_of+letters/and=signs0123456789".repeat(4);
  const folded = (text: string, columns: number, between: string) =>
    text.match(new RegExp(`.{1,${columns}}`, "gs"))!.join(between);
  const base64 = (text: string) => Buffer.from(text).toString("base64");

  test.each([
    ["Go's JSON", SIGNS, String.raw`["X=p\u0026s\u003cw\u003eo'r\"d\\ $1 é"]`, '["X=[REDACTED]"]'],
    ["JSON in ASCII", SIGNS, String.raw`"p&s<w>o'r\"d\\ $1 \u00e9"`, '"[REDACTED]"'],
    ["JSON with escaped slashes", "ab/c", String.raw`"ab\/c"`, '"[REDACTED]"'],
    ["a URL", SIGNS, "x=p%26s%3Cw%3Eo%27r%22d%5C%20%241%20%C3%A9&y", "x=[REDACTED]&y"],
    ["a URL in lower case", SIGNS, "x=p%26s%3cw%3eo%27r%22d%5c%20%241%20%c3%a9&y", "x=[REDACTED]&y"],
    ["encodeURIComponent", SIGNS, encodeURIComponent(SIGNS), "[REDACTED]"],
    ["a form", SIGNS, "x=p%26s%3Cw%3Eo%27r%22d%5C+%241+%C3%A9&y", "x=[REDACTED]&y"],
    ["a short value in a URL", "a b&c", "x=a%20b%26c a+b%26c", "x=[REDACTED] [REDACTED]"],
    ["printf %q", SIGNS, String.raw`X=p\&s\<w\>o\'r\"d\\\ \$1\ é`, "X=[REDACTED]"],
    ["sh -x", SIGNS, String.raw`+ echo 'p&s<w>o'\''r"d\ $1 é'`, "+ echo '[REDACTED]'"],
    ["sh -x of dash", SIGNS, `+ echo 'p&s<w>o'"'"'r"d\\ $1 é'`, "+ echo '[REDACTED]'"],
    ["in double quotes", SIGNS, String.raw`"p&s<w>o'r\"d\\ \$1 é"`, '"[REDACTED]"'],
    ["ANSI-C quotes", "tab\tnew\nquote'", String.raw`$'tab\tnew\nquote\''`, "$'[REDACTED]'"],
    ["a short value, quoted", "a'b ", String.raw`'a'\''b ' a\'b\ `, "'[REDACTED]' [REDACTED]"],
    ["a line of a CRLF value", KEY, "x MIIEvQIBADANBgkqhkiG9w0 y", "x [REDACTED] y"],
    ["a CRLF value with plain newlines", KEY, `<${KEY.replaceAll("\r", "")}>`, "<[REDACTED]\n>"],
    ["a trimmed value", "  ab cd \n", "<ab cd>", "<[REDACTED]>"],
    ["base64", CODE, base64(CODE), "[REDACTED]"],
    ["folded at 76 columns", CODE, `x\n${folded(CODE, 76, "\n")}\ny`, "x\n[REDACTED]\ny"],
    ["base64 of 64 columns", CODE, `x\n${folded(base64(CODE), 64, "\r\n")}\ny`, "x\n[REDACTED]\ny"],
    ["base64 of 60 columns, indented", CODE, `x: |\n  ${folded(base64(CODE), 60, "\n  ")}`, "x: |\n  [REDACTED]"],
    ["folded in double quotes of YAML", CODE, `x: "${folded(CODE, 70, "\\\n    ")}"`, 'x: "[REDACTED]"'],
    [
      "folded at a blank by YAML",
      "words that make a long value",
      "x: >-\n  words that\n  make a long value",
      "x: >-\n  [REDACTED]",
    ],
    ["single quotes of YAML", "don't show", "x: 'don''t show'", "x: '[REDACTED]'"],
  ])("%s", (_, value, printed, shown) => {
    const collapsed = mask(value)
      .text(printed)
      .replaceAll(/(?:\[REDACTED\])+/g, "[REDACTED]");
    expect(collapsed).toBe(shown);
  });

  test("base64 of a value inside other data is found at all three alignments, in both alphabets", () => {
    const value = "??>>a-secret-value";
    for (const before of ["", "a", "ab", "user:"]) {
      for (const after of ["", "x", "yz", "\n"]) {
        for (const alphabet of ["base64", "base64url"] as const) {
          const printed = Buffer.from(before + value + after).toString(alphabet);
          const shown = mask(value).text(printed);
          expect(shown).toContain("[REDACTED]");
          expect(shown.replace("[REDACTED]", "").length).toBeLessThanOrEqual(
            Math.ceil(((before + after).length * 8) / 6) + 4,
          );
        }
      }
    }
  });
});

/** The ways in which programs write a text, each with a standard function. */
const WRITERS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.trim(),
  (text) => JSON.stringify({ Env: [`X=${text}`] }, undefined, 2),
  (text) => JSON.stringify(text).replaceAll(/[&<>]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
  (text) => `https://host/?x=${encodeURIComponent(text)}`,
  (text) => new URLSearchParams({ x: text }).toString(),
  (text) => new URLSearchParams({ x: text }).toString().replaceAll(/%../g, (code) => code.toLowerCase()),
  (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`,
  (text) => text.replaceAll(/[^\w]/g, String.raw`\$&`),
  (text) => text.replaceAll(/.{20}/g, "$&\n    "),
  (text) => Buffer.from(`user:${text}`).toString("base64"),
  (text) => Buffer.from(text).toString("base64").replaceAll(/.{60}/g, "$&\n"),
];

/** Text that occurs only in the value, neither in a mask nor in the output of a writer. */
const MARKED = fc
  .tuple(fc.string({ unit: "grapheme-ascii", maxLength: 30 }), fc.string({ unit: "grapheme-ascii", maxLength: 30 }))
  .map(([before, after]) => `${before}kqzxj${after}`);

test("bash's set -x and printf %q show no value", () => {
  const property = fc.property(fc.array(MARKED, { minLength: 20, maxLength: 20 }), (values) => {
    const print = `exec 2>&1; printf '%q\\n' "$@"; set -x; : "$@"`;
    const shown = mask(...values).text(execFileSync("bash", ["-c", print, "bash", ...values]).toString());
    expect(shown).toContain("[REDACTED]");
    expect(shown).not.toContain("kqzxj");
  });
  fc.assert(property, { numRuns: 20 });
});

test("no writer gets a value past the mask", () => {
  const property = fc.property(MARKED, fc.constantFrom(...WRITERS), (value, write) => {
    const shown = mask(value).text(`before ${write(value)} after`);
    expect(shown).toContain("[REDACTED]");
    expect(shown).not.toContain("kqzxj");
  });
  fc.assert(property);
});

test("text in any chunks is masked like the complete text, in every shape", () => {
  const cuts = fc.array(fc.nat(120), { maxLength: 12 });
  const property = fc.property(MARKED, fc.constantFrom(...WRITERS), cuts, (value, write, places) => {
    const text = `kqzx ${write(value)}\\ \n ${value.slice(0, 4)}`;
    const ends = [0, ...places.filter((place) => place < text.length).toSorted((a, b) => a - b), text.length];
    const take = mask(value, "kqzxjk").stream();
    const shown = ends.slice(1).map((end, i) => take(text.slice(ends[i], end)));
    const whole = [...shown, take()].join("");
    expect(whole).not.toContain("kqzxj");
    // A chunk that ends with a blank is shown completely, even if its end may be the beginning of a value.
    fc.pre(ends.every((end) => !/\s$/.test(text.slice(0, end))));
    expect(whole).toBe(mask(value, "kqzxjk").text(text));
  });
  fc.assert(property);
});

test("text without a value remains unchanged", () => {
  const value = fc.string({ minLength: 8, maxLength: 12, unit: fc.constantFrom("x", "y", "1", "&", "\\") });
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n", "\\", "é", "😀") });
  const property = fc.property(value, text, (secret, printed) => {
    fc.pre(/[xy1]/.test(secret));
    expect(mask(secret).text(printed)).toBe(printed);
  });
  fc.assert(property);
});

test("overlapping values are masked as one", () => {
  expect(mask("abcdefgh", "efghijkl").text("-abcdefghijkl-")).toBe("-[REDACTED]-");
});

test("the rest of a longer, truncated value is masked", () => {
  const value = Array.from({ length: 400 }, (_, i) => `piece${i};`).join("");
  expect(mask(value).text(value.slice(1300))).not.toContain("piece390");
});

test("a mask with a base masks the secrets of both", () => {
  const both = new Mask([new Secret("B", "second-value")], mask("first-value"));
  expect(both.text("first-value second-value")).toBe("[REDACTED] [REDACTED]");
});

test("text that only begins like a value is not lost", () => {
  const take = mask("password-1").stream();
  expect([take("a passwo"), take("rd is wrong"), take()].join("")).toBe("a password is wrong");
});

test("only the possible beginning of a value is held back", () => {
  expect(mask("secret").stream()("Enter your name: ")).toBe("Enter your name: ");
  expect(mask("a-longer-secret").stream()("Enter your name: ")).toBe("Enter your name: ");
  expect(mask("a-longer-secret").stream()("the end of a\n")).toBe("the end of a\n");
});

test("a value that begins at the end of a shown line is masked from the next line on", () => {
  const take = mask("a-longer-secret").stream();
  expect([take("x a-l\n"), take("  onger-"), take("secret y"), take()].join("")).toBe("x a-l\n[REDACTED] y");
});
