import { expect, test } from "vitest";
import type { RunEvent } from "../../src/events.ts";
import { lineReport, type Verbosity } from "../../src/output/report.ts";

/** What a view prints of these events. */
function printed(verbosity: Verbosity, events: readonly RunEvent[]): string {
  let text = "";
  const report = lineReport({ write: (more) => (text += more) }, verbosity, false);
  for (const event of events) report(event);
  return text;
}

const progress = (text: string): RunEvent => ({ kind: "progress", host: "localhost", text });
const output = (host: string, text: string): RunEvent => ({
  kind: "output",
  host,
  step: "Pull",
  stream: "stdout",
  text,
});
const ended = (host: string, status = 0): RunEvent => ({
  kind: "step-end",
  host,
  script: "Fetch",
  step: "Pull",
  status,
  seconds: 1.234,
});

test("output in pieces becomes whole lines, the last one too", () => {
  expect(
    printed("normal", [progress("Step 1\n -"), progress("--> a\n15f6: "), progress("Pushed"), ended("localhost")]),
  ).toBe("  Step 1\n   ---> a\n  15f6: Pushed\n");
});

test("of an overwritten line, the final text is printed", () => {
  expect(printed("normal", [progress("10 %\r50 %\r100 %\r\n")])).toBe("  100 %\n");
});

test("-v names the host of each line, also if the lines of hosts alternate", () => {
  const events = [output("one", "a"), output("two", "b\n"), output("one", "c\n"), ended("one"), ended("two", 3)];
  expect(printed("verbose", events)).toBe(
    "  two | b\n  one | ac\n  one Pull: done after 1.23 s\n  two Pull: exit status 3 after 1.23 s\n",
  );
});

test("-q prints only warnings", () => {
  const events: RunEvent[] = [
    { kind: "title", text: "Pull app image..." },
    { kind: "note", host: "one", text: "is live" },
    progress("Step 1\n"),
    { kind: "warning", host: "one", text: "is full" },
    { kind: "finished", what: "Finished all", seconds: 1 },
  ];
  expect(printed("quiet", events)).toBe("one  is full\n");
  expect(printed("normal", events)).toBe(
    "Pull app image...\n  one  is live\n  Step 1\n  one  is full\n  Finished all in 1.0 seconds\n",
  );
});
