import { describe, expect, test } from "vitest";
import { HostsFailedError, InterruptedError, SshError } from "../../src/errors.ts";
import { onHosts, onHostsTogether } from "../../src/hosts/on-hosts.ts";

const hosts = ["one", "two", "three"].map((name) => ({ name }));

test("all hosts in parallel, results in their order", async () => {
  const begun: string[] = [];
  const results = await onHosts(hosts, async ({ name }) => {
    begun.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toHaveLength(3);
    return name.toUpperCase();
  });
  expect(results).toEqual(["ONE", "TWO", "THREE"]);
});

test("all hosts finish before the error, which has every failure", async () => {
  const settled: string[] = [];
  const failing = onHosts(hosts, async ({ name }) => {
    if (name === "one") throw new SshError(name, "connection refused");
    await new Promise((resolve) => setTimeout(resolve, 5));
    settled.push(name);
    if (name === "three") throw new SshError(name, "no answer");
  });
  const error = await failing.catch((reason: unknown) => reason as HostsFailedError);
  expect(settled).toEqual(["two", "three"]);
  expect(error).toBeInstanceOf(HostsFailedError);
  expect((error as HostsFailedError).failures.map(({ host }) => host)).toEqual(["one", "three"]);
  expect((error as HostsFailedError).message).toContain("connection refused");
  expect((error as HostsFailedError).message).toContain("no answer");
});

test("an interruption is reported unless a host failed", async () => {
  const interrupted = () => Promise.reject(new InterruptedError());
  await expect(onHosts(hosts, interrupted)).rejects.toBeInstanceOf(InterruptedError);
  await expect(
    onHosts(hosts, ({ name }) => (name === "two" ? Promise.reject(new SshError(name, "lost")) : interrupted())),
  ).rejects.toBeInstanceOf(HostsFailedError);
});

describe("together", () => {
  /** Work that ends when it is interrupted, like a script. */
  const untilInterrupted = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      const stop = () => reject(new InterruptedError());
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop);
    });

  test("the first failure interrupts the others, which are not reported", async () => {
    const failing = onHostsTogether(hosts, undefined, async ({ name }, signal) => {
      if (name === "two") throw new SshError(name, "no answer");
      await untilInterrupted(signal);
    });
    await expect(failing).rejects.toMatchObject({ name: "HostsFailedError", message: "two: no answer" });
  });

  test("an interruption from outside ends the work on all hosts", async () => {
    const outside = new AbortController();
    const working = onHostsTogether(hosts, outside.signal, (_, signal) => untilInterrupted(signal));
    outside.abort();
    await expect(working).rejects.toBeInstanceOf(InterruptedError);
    await expect(
      onHostsTogether(hosts, outside.signal, (_, signal) => untilInterrupted(signal)),
    ).rejects.toBeInstanceOf(InterruptedError);
  });
});
