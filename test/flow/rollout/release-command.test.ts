import { expect, test } from "vitest";
import { runReleaseCommand } from "../../../src/flow/rollout/release-command.ts";
import { select } from "../../../src/plan/select.ts";
import { config, role } from "../../support/config.ts";
import { fakeRun } from "../../support/fake-run.ts";

const release = { command: "npm run migrate", timeoutSeconds: 600, role: "jobs" };
const roles = [
  role({ name: "jobs", hosts: ["192.0.2.2", "192.0.2.3"], traefik: false }),
  role({ hosts: ["192.0.2.1", "192.0.2.2"] }),
];
const given = config({ release, roles });
const never = { now: () => new Date(0), sleep: () => new Promise<void>(() => {}) };
const COMMAND = "Run the release command";

test("it runs once, on the first host of its role", async () => {
  const run = fakeRun(given, { clock: never });
  await runReleaseCommand(run, "1");
  expect(run.transcript.filter((line) => line.endsWith(COMMAND))).toEqual([`192.0.2.2: ${COMMAND}`]);
});

test("its output is shown line by line, as it is without the secrets that it prints", async () => {
  const run = fakeRun(given, { clock: never });
  run.host("192.0.2.2");
  const host = run.hosts.get("192.0.2.2")!;
  const original = host.run.bind(host);
  host.run = (work, options) => {
    const says = (masked: string) =>
      options?.onOutput?.({
        host: host.name,
        step: COMMAND,
        stepId: "release-command",
        stream: "stdout",
        text: "hush",
        masked,
        bytes: Buffer.from("hush"),
      });
    for (const masked of ["one\ntoken: [RED", "ACTED]\n", "three"]) says(masked);
    return original(work, options);
  };
  await runReleaseCommand(run, "1");
  expect(run.events.flatMap((event) => (event.kind === "progress" ? [event.text] : []))).toEqual([
    "192.0.2.2  one\n",
    "192.0.2.2  token: [REDACTED]\n",
    "192.0.2.2  three\n",
  ]);
});

test("on the first that the filters leave; without any it is left out, and told so", async () => {
  const last = { hosts: ["192.0.2.3"], roles: undefined, primary: false };
  const run = fakeRun(given, { clock: never, selection: select(given, last) });
  await runReleaseCommand(run, "1");
  expect(run.transcript).toContain(`192.0.2.3: ${COMMAND}`);

  const web = { hosts: undefined, roles: ["web"], primary: false };
  const other = fakeRun(given, { clock: never, selection: select(given, web) });
  await runReleaseCommand(other, "1");
  expect(other.transcript).toEqual([]);
  expect(other.events).toEqual([
    { kind: "warning", text: "The release command is skipped: no selected host has the role jobs" },
  ]);
});

test("without one nothing happens", async () => {
  const run = fakeRun(config(), { clock: never });
  await runReleaseCommand(run, "1");
  expect(run.transcript).toEqual([]);
});

test("a failure has an exit code of its own, and its output", async () => {
  const run = fakeRun(given, { clock: never });
  run.host("192.0.2.2");
  run.hosts.get("192.0.2.2")!.replies(/Run the release command/, "no such table", 3);
  await expect(runReleaseCommand(run, "1")).rejects.toMatchObject({
    name: "ReleaseFailedError",
    exitCode: 9,
    message: "192.0.2.2: the release command ended with exit status 3. Nothing was changed.\nno such table",
  });
});

test("one that takes too long is told as such; an interruption is not", async () => {
  const late = fakeRun(given, { clock: { now: () => new Date(0), sleep: async () => {} } });
  late.host("192.0.2.2");
  late.hosts.get("192.0.2.2")!.when(/Run the release/, () => new Promise((resolve) => setImmediate(resolve)));
  await expect(runReleaseCommand(late, "1")).rejects.toMatchObject({
    exitCode: 9,
    message: expect.stringContaining("took longer than 600 s") as string,
  });

  const interrupted = fakeRun(given, { clock: never });
  interrupted.host("192.0.2.2");
  interrupted.hosts.get("192.0.2.2")!.when(/Run the release/, () => interrupted.abort());
  await expect(runReleaseCommand(interrupted, "1")).rejects.toMatchObject({ exitCode: 130 });
});
