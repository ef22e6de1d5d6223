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
  const said: string[] = [];
  const { signal, abort, close } = interruptible(target, {
    mustFinish: () => held,
    describe: () => "Watch the new containers...\n  192.0.2.1  Watch for 5 s, for 2 s",
    remaining: () => "Left on the servers: the deploy lock on 192.0.2.1",
    print: (text) => void said.push(text),
  });
  return { target, said, signal, abort, close };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"])("the first %s interrupts the run, and ends nothing", (name) => {
  const { target, said, signal } = run(true);
  target.emit(name);
  expect(signal.aborted).toBe(true);
  expect(target.exits).toEqual([]);
  expect(said).toEqual([]);
  vi.runAllTimers();
  expect(said.join("")).toContain("Interrupted");
});

test("further ones tell what is going on, as long as the lock is held", () => {
  const { target, said } = run(true);
  for (let i = 0; i < 5; i++) target.emit("SIGINT");
  expect(target.exits).toEqual([]);
  expect(said).toHaveLength(4);
  expect(said.at(-1)).toContain("192.0.2.1  Watch for 5 s, for 2 s");
});

test.each([
  ["SIGINT", "SIGINT"],
  ["SIGINT", "SIGTERM"],
  ["SIGHUP", "SIGHUP"],
])(
  "a run that holds the lock, and does not end within 15 s after %s, is ended by %s, which names what stays behind",
  (first, second) => {
    const { target, said } = run(true);
    target.emit(first);
    vi.advanceTimersByTime(14_000);
    target.emit(second);
    expect(said.at(-1)).toContain("In 1 s, Ctrl-C will end the run immediately.");
    expect(target.exits).toEqual([]);
    vi.advanceTimersByTime(1000);
    target.emit(second);
    expect(target.exits).toEqual([130]);
    expect(said.at(-1)).toBe("\nEnded immediately. Left on the servers: the deploy lock on 192.0.2.1\n");
  },
);

test("an output that cannot be written counts as the first signal, however often it fails", () => {
  const { target, said, signal, abort } = run(true);
  abort();
  abort();
  expect(signal.aborted).toBe(true);
  vi.advanceTimersByTime(1000);
  expect(said.join("")).toContain("Interrupted");
  vi.advanceTimersByTime(20_000);
  abort();
  expect(target.exits).toEqual([]);
  target.emit("SIGTERM");
  expect(target.exits).toEqual([130]);
});

test("where nothing is held, the second one ends the process", () => {
  const { target } = run(false);
  target.emit("SIGINT");
  target.emit("SIGINT");
  expect(target.exits).toEqual([130]);
});

test("after the run nothing listens any more, and what ended at once is not talked about", () => {
  const { target, close, said } = run(true);
  target.emit("SIGINT");
  close();
  vi.runAllTimers();
  expect(said).toEqual([]);
  expect(target.eventNames()).toEqual([]);
});
