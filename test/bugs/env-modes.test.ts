import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RemoteHost } from "../../src/hosts/remote-host.ts";
import { script, step } from "../../src/script/script.ts";
import { Connections } from "../../src/ssh/connections.ts";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";
import { noSecrets } from "../support/no-secrets.ts";
import { type Sshd, sshSettings, startSshd } from "../support/sshd.ts";

let sshd: Sshd;

beforeAll(async () => void (sshd = await startSshd()));
afterAll(() => sshd.stop());

test.each([".env", ".env.staging", ".env.erb"])(
  "%s that any user can change is reported in a warning, with what to type",
  async (name) => {
    const folder = project({ "config/deploy.yml": UNREACHABLE, [name]: "" });
    expect((await mrsk(folder, "details")).stderr).not.toContain("chmod");
    chmodSync(join(folder, name), 0o646);
    expect((await mrsk(folder, "details")).stderr).toContain(
      `${name} can be changed by every user of this machine, and its commands run as you: run chmod 600 ${name}\n`,
    );
  },
);

test("a private key with a mode that ssh refuses is used, with one warning in a run", async () => {
  const notes: string[] = [];
  const client = { agentSocket: undefined, home: "/nonexistent", environment: process.env };
  const options = { client, beginSeconds: 30, confirm: undefined, ask: async () => undefined, log: () => {} };
  const say = async () => {
    const pool = new Connections({ ...options, ssh: sshSettings(sshd), notify: (_, text) => void notes.push(text) });
    for (const name of ["127.0.0.1", "localhost"]) {
      const host = new RemoteHost(
        name,
        pool,
        () => {},
        { input: process.stdin, output: process.stdout, type: "dumb" },
        noSecrets,
      );
      await host.run(script("Say", [step("Say", ["true"])]));
    }
    await pool.close();
  };
  await say();
  notes.length = 0;
  chmodSync(sshd.key, 0o666);
  await say();
  chmodSync(sshd.key, 0o600);
  expect(notes).toEqual([`private key ${sshd.key} is accessible to other users (mode 666): run chmod 600 ${sshd.key}`]);
});

test("a public key that everyone can read causes no warning", async () => {
  writeFileSync(`${sshd.key}.only.pub`, "ssh-ed25519 AAAA", { mode: 0o644 });
  const { KeyModes } = await import("../../src/ssh/login/key-modes.ts");
  const notes: string[] = [];
  new KeyModes().check([`${sshd.key}.only.pub`, "/nonexistent/key"], (text) => void notes.push(text));
  expect(notes).toEqual([]);
});
