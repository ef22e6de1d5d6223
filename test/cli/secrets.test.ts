import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";

const config = (more = "") => ({ "config/deploy.yml": UNREACHABLE + more });

test("print shows the secrets of the destination in the clear", async () => {
  const folder = project({
    ...config(),
    "config/deploy.staging.yml": "labels: {}",
    ".kamal/secrets-common": "A=$(printf 'two\\\\nlines')\nB=1",
    ".kamal/secrets": "B=2",
    ".kamal/secrets.staging": "B=$(kamal secrets extract K $(echo '{\"K\":\"v\"}'))\nC='it''s'",
  });
  expect(await mrsk(folder, "secrets", "print")).toMatchObject({ status: 0, stdout: "A=two\nlines\nB=2\n" });
  const failed = await mrsk(folder, "secrets", "print", "-d", "staging");
  expect(failed).toMatchObject({ status: 3, stdout: "" });
  expect(failed.stderr).toContain(".kamal/secrets.staging:1:1: B: kamal: ");
});

test("secrets that are missing or fail are reported together, before any connection", async () => {
  const folder = project({
    ...config("env: { secret: [A, B, C] }"),
    ".kamal/secrets": "A=$(echo 'vault is locked' >&2; exit 4)\nC=1",
  });
  const { status, stderr } = await mrsk(folder, "deploy", "-P", "--version", "1");
  expect(status).toBe(3);
  expect(stderr).toContain(".kamal/secrets:1:1: A: $(echo …) failed (exit status 4): vault is locked\n");
  expect(stderr).toContain("B is not in .kamal/secrets (required by env of role web)\n");
  expect(stderr).not.toContain("Acquiring");
});

test("in a Kamal 2 project pre-connect runs before the first connection of any command, with the secrets", async () => {
  const files = {
    ...config(),
    ".kamal/secrets": "TOKEN=t0k3n-of-the-vault",
    ".kamal/hooks/pre-connect": '#!/bin/sh\necho "$KAMAL_COMMAND $KAMAL_SUBCOMMAND $TOKEN" >>ran\necho "with $TOKEN"\n',
  };
  const folder = project(files);
  const { stderr } = await mrsk(folder, "app", "containers", "--version", "1");
  expect(readFileSync(join(folder, "ran"), "utf8")).toBe("app containers t0k3n-of-the-vault\n");
  expect(stderr).toContain("with [REDACTED]");
  expect(stderr).toContain("refused");
});

test("a secrets file that every user can change is a warning", async () => {
  const folder = project({ ...config(), ".kamal/secrets": "A=1" });
  chmodSync(join(folder, ".kamal/secrets"), 0o666);
  const { stderr } = await mrsk(folder, "app", "containers");
  expect(stderr).toContain(".kamal/secrets can be changed by every user of this machine");
});
