import type { View } from "./live.ts";
import { lineReport, type TextSink, type Verbosity } from "./report.ts";

/**
 * The view for this run: plain lines, and on a terminal below them what each host does at the moment. `CI` turns that
 * off, and so does `-q`; with `-v` every step has a line of its own.
 */
export async function openView(
  stderr: NodeJS.WriteStream,
  verbosity: Verbosity,
  color: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<View> {
  const live = stderr.isTTY && verbosity === "normal" && !environment["CI"] && environment["TERM"] !== "dumb";
  const plainView = (sink: TextSink) => lineReport(sink, verbosity, color);
  if (!live) return { report: plainView(stderr), aside: (work) => work(), close: () => {} };
  const { liveView } = await import("./live.ts");
  return liveView(stderr, plainView);
}
