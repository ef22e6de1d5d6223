import { expect, test } from "vitest";
import { activity } from "../../src/output/activity.ts";
import type { RunEvent } from "../../src/events.ts";

test("the description has the part of the work, and the step and duration of each host at work", () => {
  const passed: RunEvent[] = [];
  let time = 0;
  const { report, describe } = activity(
    (event) => void passed.push(event),
    () => time,
  );
  report({ kind: "title", text: "Stop the old containers..." });
  const on = (host: string) => ({ host, script: "Finalize", step: "Drain" }) as const;
  report({ kind: "step-start", ...on("192.0.2.1"), command: "ss" });
  report({ kind: "step-start", ...on("192.0.2.2"), command: "ss" });
  report({ kind: "step-end", ...on("192.0.2.1"), status: 0, seconds: 1 });
  time = 12_400;
  expect(describe()).toBe("Stop the old containers...\n  192.0.2.2  Drain, for 12 s");
  expect(passed).toHaveLength(4);
});
