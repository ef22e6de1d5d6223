import { PassThrough } from "node:stream";
import xterm from "@xterm/headless";
import { afterEach, expect, test } from "vitest";
import type { RunEvent } from "../../src/events.ts";
import { liveView } from "../../src/output/live.ts";
import { lineReport } from "../../src/output/report.ts";
import { openView } from "../../src/output/view.ts";

const SIZE = { cols: 60, rows: 8 };

/** The screen of a terminal, and a live view on it with a fake clock. */
function screen() {
  const terminal = new xterm.Terminal({ ...SIZE, allowProposedApi: true, convertEol: true });
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: SIZE.cols, rows: SIZE.rows });
  const writes: Promise<void>[] = [];
  stream.on("data", (bytes: Buffer) => writes.push(new Promise((done) => terminal.write(bytes, done))));
  let time = 0;
  const view = liveView(stream, (sink) => lineReport(sink, "normal", false), { now: () => time });
  views.push(view);
  return {
    view,
    after: (seconds: number) => {
      time += seconds * 1000;
      view.draw();
    },
    lines: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(writes);
      const { active } = terminal.buffer;
      return Array.from({ length: active.length }, (_, i) => active.getLine(i)!.translateToString(true)).filter(
        Boolean,
      );
    },
  };
}

const views: { close(): void }[] = [];
afterEach(() => {
  for (const view of views.splice(0)) view.close();
});

const begins = (host: string, step: string): RunEvent => ({
  kind: "step-start",
  host,
  script: "Fetch",
  step,
  command: "docker pull",
});
const ends = (host: string, step: string): RunEvent => ({
  kind: "step-end",
  host,
  script: "Fetch",
  step,
  status: 0,
  seconds: 1,
});

test("each host at work has a line below the printed lines, the longest at work first", async () => {
  const { view, after, lines } = screen();
  view.report({ kind: "title", text: "Pull app image..." });
  view.report(begins("192.0.2.1", "Pull the image"));
  after(1);
  view.report(begins("192.0.2.10", "Pull the image"));
  after(1);
  expect(await lines()).toEqual([
    "Pull app image...",
    "  192.0.2.1   Pull the image  2 s",
    "  192.0.2.10  Pull the image  1 s",
  ]);
  view.report(ends("192.0.2.1", "Pull the image"));
  view.report({ kind: "note", host: "192.0.2.1", text: "has it" });
  after(1);
  expect(await lines()).toEqual(["Pull app image...", "  192.0.2.1  has it", "  192.0.2.10  Pull the image  2 s"]);
});

test("a short step is not shown, and other output is printed above the live lines", async () => {
  const { view, after, lines } = screen();
  view.report(begins("one", "Look"));
  after(0.1);
  expect(await lines()).toEqual([]);
  after(1);
  view.withoutLiveLines(() => view.report({ kind: "note", text: "printed" }));
  after(0);
  expect(await lines()).toEqual(["  printed", "  one  Look  1 s"]);
});

test("hosts that do not fit are counted, and close removes all live lines", async () => {
  const { view, after, lines } = screen();
  for (let host = 0; host < 50; host++) view.report(begins(`host-${host}`, "Pull the image"));
  after(3);
  const shown = await lines();
  expect(shown).toHaveLength(SIZE.rows - 2);
  expect(shown.at(-1)).toBe("  and 45 more hosts");
  view.close();
  expect(await lines()).toEqual([]);
});

test.each([
  ["no terminal", { isTTY: false }, {}],
  ["a CI job", { isTTY: true }, { CI: "true" }],
  ["a terminal without cursor movement", { isTTY: true }, { TERM: "dumb" }],
])("%s has plain lines", async (_, terminal, environment) => {
  const stream = Object.assign(new PassThrough(), terminal) as unknown as NodeJS.WriteStream;
  let text = "";
  (stream as unknown as PassThrough).on("data", (bytes: Buffer) => (text += bytes.toString()));
  const view = await openView(stream, "normal", false, environment);
  view.report(begins("one", "Pull the image"));
  view.report({ kind: "title", text: "Pull app image..." });
  view.close();
  expect(text).toBe("Pull app image...\n");
});
