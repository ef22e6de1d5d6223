import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AppCommands } from "../../src/commands/app.ts";
import { raw, sh } from "../../src/script/command.ts";
import { record } from "../../src/commands/auditor.ts";
import { script, step } from "../../src/script/script.ts";
import { startOrRunTraefik } from "../../src/commands/traefik-boot.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { config, role, traefikHost } from "../support/config.ts";
import { machine } from "../support/fake-docker.ts";

// Bugs of MRSK 0.13.2 that are not copied, tested with a real shell.

test("an audited command with quotes, > and $ is in the log as it was typed", async () => {
  const { host, home } = machine();
  const text = `Executed cmd 'sh -c "echo it's; $HOME > x" [2]*' on app version 1`;
  writeFileSync(join(home, "2"), "");
  const entry = { at: "2026-01-02T03:04:05Z", performer: "ann", text };
  await host.run(script("Audit", [step("Audit", record(config(), entry))]));
  expect(readFileSync(join(home, "mrsk-app-audit.log"), "utf8")).toBe(`[2026-01-02T03:04:05Z] [ann] ${text}\n`);
});

test("values with quotes reach an interactive container unchanged, and are in no argument list", async () => {
  const here = machine(`printf '%s|%s\\n' "$SECRET" "$*" >"$(dirname "$0")/../seen"; echo id`);
  const value = `it's "so" $HOME \\ ü\nsecond line`;
  const web = role({ env: { clear: new Map([["CLEAR", "it's"]]), secret: ["SECRET"] } });
  const secrets = new Map([["SECRET", new Secret("SECRET", value)]]);
  const enter = new AppCommands(config(), web).execNew("1", ["bash", "-c", "echo 'x'"], secrets, {
    streams: "terminal",
  });
  await here.host.run(script("Make", [step("Make", enter)]));
  const seen = readFileSync(join(here.home, "seen"), "utf8");
  expect(seen).toBe(`${value}|run -it --rm -e SECRET -e CLEAR=it's dhh/app:1 bash -c echo 'x'\n`);
});

test("a failure on this machine is reported with its exit status", async () => {
  await expect(machine().host.run(script("Build", [step("Build", sh`exit 3`)]))).rejects.toMatchObject({
    status: 3,
    message: "localhost: Build failed (exit status 3)",
  });
});

test("a Traefik that cannot start is an error, a Traefik that runs already is not", async () => {
  const start = (docker: string) => {
    const { host } = machine(docker);
    return host.run(script("Boot", [step("Start", startOrRunTraefik(config(), traefikHost("live"), new Map()))]));
  };
  const broken = 'case "$1" in run) echo "unknown flag: --bad" >&2; exit 125 ;; inspect) exit 1 ;; esac';
  await expect(start(broken)).rejects.toThrow("unknown flag: --bad");
  const taken = `case "$1" in
  run) : >"$(dirname "$0")/made"; echo "port is already allocated" >&2; exit 125 ;;
  inspect) [ -e "$(dirname "$0")/made" ] && echo created ;;
esac`;
  await expect(start(taken)).rejects.toThrow("port is already allocated");
  await start("");
});

test("a command that a signal ends has failed", async () => {
  const { host } = machine();
  const killed = ["sh", "-c", raw("'kill -KILL $$'")];
  await expect(host.run(script("Work", [step("Killed", killed)]))).rejects.toMatchObject({ exitCode: 5, status: 137 });
  await expect(
    host.run(script("Work", [step("Killed", ["sh", "-c", raw("'kill -KILL $PPID'")])])),
  ).rejects.toMatchObject({
    exitCode: 5,
    message: expect.stringContaining("was ended during Killed") as string,
  });
});
