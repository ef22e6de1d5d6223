import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { outputFailure, watchOutputs } from "../../src/cli/standard-streams.ts";

const failing = (code: string) => Object.assign(new Error(`${code}: write failed, write`), { code });

test.each([
  ["stdout", "EPIPE"],
  ["stdout", "ENOSPC"],
  ["stdout", "EIO"],
  ["stderr", "EPIPE"],
  ["stderr", "ENOSPC"],
  ["stderr", "EIO"],
] as const)("a failure of %s with %s is reported, and does not end the process", (name, code) => {
  const outputs = { stdout: new EventEmitter(), stderr: new EventEmitter() };
  const lost: string[] = [];
  const stop = watchOutputs(outputs, (which, error) => void lost.push(`${which} ${error.code}`));
  outputs[name].emit("error", failing(code));
  expect(lost).toEqual([`${name} ${code}`]);
  stop();
  expect(outputs[name].listenerCount("error")).toBe(0);
});

test("standard output on a full disk is a failure, a reader that has ended is not", () => {
  expect(outputFailure("stdout", failing("ENOSPC"))).toBe(
    "ERROR: Standard output cannot be written: ENOSPC: write failed, write\n",
  );
  expect(outputFailure("stdout", failing("EIO"))).toContain("ERROR");
  expect(outputFailure("stdout", failing("EPIPE"))).toBeUndefined();
  expect(outputFailure("stderr", failing("ENOSPC"))).toBeUndefined();
});
