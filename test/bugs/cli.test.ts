import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";

// Bugs of MRSK 0.13.2 on the command line, which are not copied.
const HOOK = '#!/bin/sh\necho "$MRSK_COMMAND $MRSK_SUBCOMMAND $MRSK_ROLE" >said\n';
let folder: string;
beforeAll(() => {
  folder = project({ "config/deploy.yml": UNREACHABLE, ".mrsk/hooks/pre-connect": HOOK });
});

/** The output of the hook, if it ran. The command then fails, as its server refuses the connection. */
async function hookOf(...argv: string[]): Promise<string | undefined> {
  const file = join(folder, "said");
  rmSync(file, { force: true });
  const { status, stderr } = await mrsk(folder, ...argv);
  expect({ status, stderr }).toMatchObject({
    status: 5,
    stderr: expect.stringContaining("connection refused") as string,
  });
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

test.each([
  [["app", "boot", "-H", "--version", "1"]],
  [["app", "-H", "boot", "--version", "1"]],
  [["-H", "app", "boot", "--version", "1"]],
  [["app", "boot", "--skip_hooks", "--version", "1"]],
])("-H skips hooks of a grouped command at any position: %j", async (argv) => {
  expect(await hookOf(...argv)).toBeUndefined();
});

test("--no-skip-hooks switches -H off", async () => {
  expect(await hookOf("app", "boot", "-H", "--no-skip-hooks", "--version", "1")).toBe("app boot");
});

test("a hook gets both words of a grouped command, and the selected roles", async () => {
  expect(await hookOf("traefik", "start", "--version", "1")).toBe("traefik start");
  expect(await hookOf("app", "stop", "-r", "web", "--version", "1")).toBe("app stop web");
});

test("filters that match nothing are an error, before the lock and every hook", async () => {
  rmSync(join(folder, "said"), { force: true });
  for (const [option, value] of [
    ["--hosts", "192.0.2.77"],
    ["--roles", "nosuch"],
  ] as const) {
    const { status, stderr } = await mrsk(folder, "deploy", "--version", "1", option, value);
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`No ${option} match for ${value}`) as string,
    });
  }
  expect(existsSync(join(folder, "said"))).toBe(false);
});

test("-h alone is help, -h with a value selects hosts, and -h at the end is help", async () => {
  expect(await mrsk(folder, "deploy", "-h")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("Usage: mrsk deploy") as string,
  });
  expect(await mrsk(folder, "deploy", "-h", "192.0.2.77")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("No --hosts match for 192.0.2.77") as string,
  });
});

test("--follow is a flag, and takes no word as its value", async () => {
  expect(await mrsk(folder, "app", "logs", "-f", "word")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("too many arguments for 'logs'") as string,
  });
});
