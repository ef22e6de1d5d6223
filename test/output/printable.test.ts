import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { RunEvent } from "../../src/events.ts";
import { liveView } from "../../src/output/live.ts";
import { printable } from "../../src/output/printable.ts";
import { lineReport } from "../../src/output/report.ts";

/** Output of a hostile server: its effect on a terminal, the text, and the escaped text. */
const HOSTILE: readonly (readonly [what: string, text: string, shown: string])[] = [
  ["write the clipboard (OSC 52)", "\x1b]52;c;cm0=\x07", String.raw`\u001b]52;c;cm0=\u0007`],
  ["set the title (OSC 0)", "\x1b]0;title\x1b\\", String.raw`\u001b]0;title\u001b` + "\\"],
  ["clear the screen (CSI)", "\x1b[2J\x1b[H", String.raw`\u001b[2J\u001b[H`],
  ["clear the screen with one character (C1)", "\x9b2J", String.raw`\u009b2J`],
  ["overwrite the line", "done\rfailed", String.raw`done\rfailed`],
  ["go back", "ab\b\b\x7f", String.raw`ab\u0008\u0008\u007f`],
  ["end the text", "a\0b", String.raw`a\u0000b`],
  ["turn the text around", "\u202egnp.exe\u202c\u2066x\u2069", String.raw`\u202egnp.exe\u202c\u2066x\u2069`],
  ["hide characters", "ro\u200bot\u200d\ufeff\u2060\u00ad", String.raw`ro\u200bot\u200d\ufeff\u2060\u00ad`],
  ["hide words (tags)", "a\u{e0041}", String.raw`a\udb40\udc41`],
  ["break lines unseen", "a\u2028b\u0085c", String.raw`a\u2028b\u0085c`],
];

test.each(HOSTILE)("text that would %s is shown escaped", (_what, text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(JSON.parse(`"${printable("\x1b\x7f\u202e\u{e0041}")}"`)).toBe("\x1b\x7f\u202e\u{e0041}");
});

test("ordinary text is not changed", () => {
  const text = "Zoë ✓ 日本語 עברית العربية 😀 é\n\ttab\r\n";
  expect(printable(text)).toBe("Zoë ✓ 日本語 עברית العربية 😀 é\n\ttab\n");
});

const VIEWS: readonly (readonly [string, (text: string) => RunEvent[]])[] = [
  ["a title", (text) => [{ kind: "title", text }]],
  ["a note", (text) => [{ kind: "note", host: text, text }]],
  ["a warning", (text) => [{ kind: "warning", host: "one", text }]],
  ["a step", (text) => [{ kind: "step-start", host: "one", script: "Try", step: text, command: text }]],
  ["a step's end", (text) => [{ kind: "step-end", host: "one", script: "Try", step: text, status: 0, seconds: 1 }]],
  ["output", (text) => [{ kind: "output", host: "one", step: "Try", stream: "stdout", text: `${text}\n` }]],
  [
    "output in pieces",
    (text) =>
      Array.from(`${text}\n`, (piece) => ({ kind: "output", host: "one", step: "Try", stream: "stdout", text: piece })),
  ],
];

test.each(VIEWS)("%s contains no control character", (_what, events) => {
  for (const [, text] of HOSTILE) {
    let printed = "";
    const report = lineReport({ write: (more) => (printed += more) }, "verbose", false);
    for (const event of events(text)) report(event);
    expect(printed).not.toBe("");
    expect(printed).toMatch(/^[^\p{Cf}\u2028]*$/u);
    expect(printed).toMatch(/^[\P{Cc}\n]*$/u);
  }
});

test("progress loses its colours, and its control characters are escaped", () => {
  let printed = "";
  const report = lineReport({ write: (more) => (printed += more) }, "normal", false);
  report({ kind: "progress", host: "one", text: "10 %\r\x1b[1;31mred\x1b[0m \x1b]0;title\x07\n" });
  expect(printed).toBe(String.raw`  red \u001b]0;title\u0007` + "\n");
});

test("mrsk's colours are kept around escaped text", () => {
  let printed = "";
  lineReport({ write: (more) => (printed += more) }, "normal", true)({ kind: "title", text: "a\x1b[31mb" });
  expect(printed).toBe("\x1b[35ma\\u001b[31mb\x1b[39m\n");
});

test("the live view escapes the control characters of a step", () => {
  let printed = "";
  let time = 0;
  const sink = Object.assign(
    new Writable({ write: (chunk, _encoding, done) => ((printed += String(chunk)), done()) }),
    {
      rows: 24,
      columns: 200,
      isTTY: true,
    },
  );
  const view = liveView(sink, (to) => lineReport(to, "normal", false), { now: () => time });
  view.report({ kind: "step-start", host: "one", script: "Try", step: "Remove \x1b]0;x\x07\u202e", command: "" });
  time = 5000;
  view.draw();
  view.close();
  expect(printed).toContain(String.raw`Remove \u001b]0;x\u0007\u202e`);
  expect(printed).not.toContain("\x1b]0;");
});
