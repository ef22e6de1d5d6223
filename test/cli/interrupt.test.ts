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
  const { signal, close } = interruptible(target, {
    mustFinish: () => held,
    describe: () => "Watch the new containers...\n  192.0.2.1  Watch for 5 s, for 2 s",
    say: (text) => void said.push(text),
  });
  return { target, said, signal, close };
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
