import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { interruptible } from "../../src/cli/interrupt.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

function run(held: boolean) {
  const target = new FakeProcess();
  const printed: string[] = [];
  const { signal, abort, close } = interruptible(target, {
    mustFinish: () => held,
    describe: () => "Watch the new containers...\n  192.0.2.1  Watch for 5 s, for 2 s",
    remaining: () => "Left on the servers: the deploy lock on 192.0.2.1",
    print: (text) => void printed.push(text),
  });
  return { target, printed, signal, abort, close };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"])("the first %s interrupts the run, and does not end the process", (name) => {
  const { target, printed, signal } = run(true);
  target.emit(name);
  expect(signal.aborted).toBe(true);
  expect(target.exits).toEqual([]);
  expect(printed).toEqual([]);
  vi.runAllTimers();
  expect(printed.join("")).toContain("Interrupted");
});

test("further signals print the work in progress while the lock is held", () => {
  const { target, printed } = run(true);
  for (let i = 0; i < 5; i++) target.emit("SIGINT");
  expect(target.exits).toEqual([]);
  expect(printed).toHaveLength(4);
  expect(printed.at(-1)).toContain("192.0.2.1  Watch for 5 s, for 2 s");
});

test.each([
  ["SIGINT", "SIGINT"],
  ["SIGINT", "SIGTERM"],
  ["SIGHUP", "SIGHUP"],
])("15 s after %s, %s ends a run that holds the lock, and prints what is left on the servers", (first, second) => {
  const { target, printed } = run(true);
  target.emit(first);
  vi.advanceTimersByTime(14_000);
  target.emit(second);
  expect(printed.at(-1)).toContain("In 1 s, Ctrl-C will end the run immediately.");
  expect(target.exits).toEqual([]);
  vi.advanceTimersByTime(1000);
  target.emit(second);
  expect(target.exits).toEqual([130]);
  expect(printed.at(-1)).toBe("\nEnded immediately. Left on the servers: the deploy lock on 192.0.2.1\n");
});

test("an output that cannot be written counts as the first signal, no matter how often it fails", () => {
  const { target, printed, signal, abort } = run(true);
  abort();
  abort();
  expect(signal.aborted).toBe(true);
  vi.advanceTimersByTime(1000);
  expect(printed.join("")).toContain("Interrupted");
  vi.advanceTimersByTime(20_000);
  abort();
  expect(target.exits).toEqual([]);
  target.emit("SIGTERM");
  expect(target.exits).toEqual([130]);
});

test("the second signal ends the process if the lock is not held", () => {
  const { target } = run(false);
  target.emit("SIGINT");
  target.emit("SIGINT");
  expect(target.exits).toEqual([130]);
});

test("after the run no listener is left, and a run that stopped immediately prints no message", () => {
  const { target, close, printed } = run(true);
  target.emit("SIGINT");
  close();
  vi.runAllTimers();
  expect(printed).toEqual([]);
  expect(target.eventNames()).toEqual([]);
});
