import { expect, test } from "vitest";
import { HostsFailedError, InterruptedError, SshError } from "../../src/errors.ts";
import { onHosts } from "../../src/hosts/on-hosts.ts";

const hosts = ["one", "two", "three"].map((name) => ({ name }));

test("all hosts at once, results in their order", async () => {
  const begun: string[] = [];
  const results = await onHosts(hosts, async ({ name }) => {
    begun.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toHaveLength(3);
    return name.toUpperCase();
  });
  expect(results).toEqual(["ONE", "TWO", "THREE"]);
});

test("7.1 row 3: all hosts settle before an error is told, and every failure is in it", async () => {
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

test("an interruption is one, unless something failed beside it", async () => {
  const interrupted = () => Promise.reject(new InterruptedError());
  await expect(onHosts(hosts, interrupted)).rejects.toBeInstanceOf(InterruptedError);
  await expect(
    onHosts(hosts, ({ name }) => (name === "two" ? Promise.reject(new SshError(name, "lost")) : interrupted())),
  ).rejects.toBeInstanceOf(HostsFailedError);
});
