import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { InterruptedError } from "../../../src/errors.ts";
import { sh } from "../../../src/script/command.ts";
import { step } from "../../../src/script/script.ts";
import { runCommand, type Target } from "../../../src/flow/app/run-command.ts";
import { config } from "../../support/config.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";

const CHOICE = { interactive: false, raw: false };

function targetsOn(run: FakeRun, ...labels: readonly string[]): { targets: Target[]; hosts: FakeHost[] } {
  const hosts = labels.map((label) => run.host(label.split(" ")[0]!) as FakeHost);
  const targets = labels.map((label, i) => ({
    name: hosts[i]!.name,
    host: hosts[i]!,
    label,
    after: [],
    before: [step("Audit", ["echo", "audited"])],
    command: () => ({ body: sh`say` }),
  }));
  return { targets, hosts };
}

test("the output of one target is a block that ends with an empty line", async () => {
  const run = fakeRun(config());
  const { targets, hosts } = targetsOn(run, "one");
  hosts[0]!.replies(/^say$/, "hi");
  await runCommand(run, run.terminal, { kind: "App", targets: targets, choice: CHOICE });
  expect(run.printed.join("")).toBe("App Host: one\nhi\n\n");
});

test("with several targets each line begins with the target's name", async () => {
  const run = fakeRun(config());
  const { targets } = targetsOn(run, "one web", "two");
  (run.host("one") as FakeHost).replies(/^say$/, "a\nb");
  (run.host("two") as FakeHost).replies(/^say$/, "c\n");
  await runCommand(run, run.terminal, { kind: "App", targets: targets, choice: CHOICE });
  expect(run.printed.toSorted()).toEqual(["one web | a\n", "one web | b\n", "two | c\n"]);
});

test("raw prints only the command's bytes, of one target", async () => {
  const run = fakeRun(config());
  (run.host("one") as FakeHost).replies(/^say$/, "hi");
  await runCommand(run, run.terminal, {
    kind: "App",
    targets: targetsOn(run, "one").targets,
    choice: { ...CHOICE, raw: true },
  });
  expect(run.printed.join("")).toBe("hi");
  const both = runCommand(run, run.terminal, {
    kind: "App",
    targets: targetsOn(run, "one", "two").targets,
    choice: { ...CHOICE, raw: true },
  });
  await expect(both).rejects.toMatchObject({ exitCode: 2, hint: "Choose with -h and -r: one, two." });
  await expect(runCommand(run, run.terminal, { kind: "App", targets: [], choice: CHOICE })).rejects.toThrow(
    "No host is selected",
  );
});

test("the exit status is that of the first target that failed, and each failure is named", async () => {
  const run = fakeRun(config());
  const { targets } = targetsOn(run, "one", "two", "three");
  (run.host("two") as FakeHost).replies(/^say$/, "", 7);
  (run.host("three") as FakeHost).replies(/^say$/, "", 3);
  const message = "two: the command ended with exit status 7\nthree: the command ended with exit status 3";
  await expect(runCommand(run, run.terminal, { kind: "App", targets: targets, choice: CHOICE })).rejects.toMatchObject({
    exitCode: 7,
    message,
  });
});

test("a failure before the command does not count as the command's exit status", async () => {
  const run = fakeRun(config());
  const { targets, hosts } = targetsOn(run, "one");
  hosts[0]!.replies(/^Audit$/, "disk full", 1);
  await expect(runCommand(run, run.terminal, { kind: "App", targets: targets, choice: CHOICE })).rejects.toMatchObject({
    exitCode: 5,
  });
});

test("no input is read before every host is connected", async () => {
  const source = Readable.from(["input"]);
  const run = fakeRun(config(), { terminal: { stdin: { kind: "piped", open: () => source } } });
  const { targets, hosts } = targetsOn(run, "one", "two");
  hosts[1]!.replies(/^Audit$/, "", 1);
  await expect(runCommand(run, run.terminal, { kind: "App", targets: targets, choice: CHOICE })).rejects.toMatchObject({
    exitCode: 5,
  });
  expect(source.destroyed).toBe(false);
  expect(hosts[0]!.steps).toEqual(["Audit"]);
});

test("interactive runs on the first target only, in the terminal if there is one", async () => {
  const run = fakeRun(config(), { terminal: { stdin: { kind: "terminal", open: () => Readable.from([]) } } });
  const { targets, hosts } = targetsOn(run, "one", "two");
  hosts[0]!.replies(/^say$/, "shown by the terminal itself", 4);
  await expect(
    runCommand(run, run.terminal, { kind: "App", targets: targets, choice: { ...CHOICE, interactive: true } }),
  ).rejects.toMatchObject({
    exitCode: 4,
  });
  expect([hosts[0]!.steps, hosts[1]!.steps, run.printed]).toEqual([["Audit", "say"], [], []]);
});

test("an interrupted command with input is recorded before the run ends", async () => {
  const run = fakeRun(config(), { terminal: { stdin: { kind: "piped", open: () => Readable.from(["input"]) } } });
  const { targets, hosts } = targetsOn(run, "one");
  hosts[0]!.attach = () => Promise.reject(new InterruptedError());
  hosts[0]!.when(/^Recorded$/, () => new Promise((resolve) => setImmediate(resolve)));
  const recorded = targets.map((target) => ({
    ...target,
    after: [step("Recorded", sh`:`), step("Audit line", sh`:`)],
  }));
  await expect(runCommand(run, run.terminal, { kind: "App", targets: recorded, choice: CHOICE })).rejects.toMatchObject(
    { exitCode: 130 },
  );
  expect(hosts[0]!.steps.slice(-2)).toEqual(["Recorded", "Audit line"]);
});
