import type { View } from "./live.ts";
import { lineReport, type TextSink, type Verbosity } from "./report.ts";

/**
 * The view of a run: plain lines, and on a terminal a live line below them for each host. Without live lines if `CI` is
 * set, with `-q`, and with `-v`, which prints a line for each step.
 */
export async function openView(
  stderr: NodeJS.WriteStream,
  verbosity: Verbosity,
  color: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<View> {
  const live = stderr.isTTY && verbosity === "normal" && !environment["CI"] && environment["TERM"] !== "dumb";
  const plainView = (sink: TextSink) => lineReport(sink, verbosity, color);
  if (!live) return { report: plainView(stderr), withoutLiveLines: (work) => work(), close: () => {} };
  const { liveView } = await import("./live.ts");
  return liveView(stderr, plainView);
}
