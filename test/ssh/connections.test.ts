import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { userInfo } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sh } from "../../src/script/command.ts";
import { script, step } from "../../src/script/script.ts";
import type { Ssh } from "../../src/config/config.ts";
import { RemoteHost } from "../../src/hosts/remote-host.ts";
import type { Connections } from "../../src/ssh/connections.ts";
import { connectOptions } from "../../src/ssh/settings/options.ts";
import { noSecrets } from "../support/no-secrets.ts";
import { connections, relay, type Sshd, sshSettings, startSshd } from "../support/sshd.ts";

const terminal = { input: process.stdin, output: process.stdout, type: "dumb" };
const client = { agentSocket: undefined, home: "/nonexistent", environment: {}, note: () => {} };
let sshd: Sshd;

beforeAll(async () => void (sshd = await startSshd()));
afterAll(() => sshd.stop());

function say(pool: Connections, body = sh`echo here`) {
  return new RemoteHost("127.0.0.1", pool, () => {}, terminal, noSecrets).run(script("Say", [step("Say", body)]));
}

async function closed(pool: Connections): Promise<void> {
  const session = await pool.session("127.0.0.1");
  while (session.usable) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a connection that is idle for sshkit.pool_idle_timeout is closed, and opened again when it is needed", async () => {
  const between = await relay(sshd.port);
  const pool = connections(sshSettings(sshd, { port: between.port, poolIdleTimeoutSeconds: 0.2 }));
  await say(pool);
  await closed(pool);
  expect((await say(pool)).text("Say")).toBe("here");
  expect(between.accepted()).toBe(2);
  await pool.close();
  between.close();
});

test("a connection is not idle while a script runs on it", async () => {
  const between = await relay(sshd.port);
  const pool = connections(sshSettings(sshd, { port: between.port, poolIdleTimeoutSeconds: 0.1 }));
  expect((await say(pool, sh`sleep 1; echo still here`)).text("Say")).toBe("still here");
  expect(between.accepted()).toBe(1);
  await pool.close();
  between.close();
});

test.each([
  ["debug", [/^connected to \S+@127\.0\.0\.1, port \d+$/, /Handshake completed/, /exec\)$/, /^connection closed$/]],
  ["info", [/^connected to \S+@127\.0\.0\.1, port \d+$/, /^connection closed$/]],
  ["warn", []],
  ["fatal", []],
] as const)("ssh.log_level %s", async (logLevel, wanted) => {
  const said: string[] = [];
  const pool = connections(
    sshSettings(sshd, { logLevel }),
    async () => undefined,
    (_, text) => void said.push(text),
  );
  await say(pool);
  await pool.close();
  await expect.poll(() => wanted.every((pattern) => said.some((text) => pattern.test(text)))).toBe(true);
  expect(said.length > wanted.length).toBe(logLevel === "debug");
  expect(said.join("\n")).not.toContain("/bin/sh");
});

function settings(ssh: Partial<Ssh>): Ssh {
  return { ...sshSettings(sshd), port: undefined, ...ssh };
}

test("ssh.config: all files count, and the first file wins", async () => {
  const first = join(sshd.folder, "first");
  const second = join(sshd.folder, "with a blank");
  writeFileSync(first, "Host box\n  HostName 192.0.2.7\n");
  writeFileSync(second, "Host *\n  HostName 192.0.2.8\n  Port 2299\n");
  const options = await connectOptions("box", settings({ config: [first, second] }), client);
  expect(options).toMatchObject({ host: "192.0.2.7", port: 2299 });
});

test("ssh.config: a missing file is an error; false reads no file", async () => {
  await expect(connectOptions("box", settings({ config: ["/no/such"] }), client)).rejects.toMatchObject({
    exitCode: 3,
    message: "ssh.config: there is no file /no/such",
  });
  const { host, port } = await connectOptions("box", settings({ config: false }), client);
  expect({ host, port }).toEqual({ host: "box", port: 22 });
});

test("user and port: the host string's, then deploy.yml's", async () => {
  const ssh = settings({ user: "app", port: 2222 });
  const of = async (name: string) => {
    const { user, host, port } = await connectOptions(name, ssh, client);
    return `${user}@${host} ${port}`;
  };
  expect(await of("192.0.2.1")).toBe("app@192.0.2.1 2222");
  expect(await of("deploy@192.0.2.1:2200")).toBe("deploy@192.0.2.1 2200");
  expect(await of("[2001:db8::1]:2201")).toBe("app@2001:db8::1 2201");
});

test("ssh.keys_only ignores the client's own keys", async () => {
  const keys = ["~/.ssh/deploy"];
  const files = async (keysOnly: boolean) =>
    (await connectOptions("192.0.2.1", settings({ keys, keysOnly, config: false }), client)).identityFiles;
  expect(await files(true)).toEqual(["/nonexistent/.ssh/deploy"]);
  expect((await files(false)).length).toBeGreaterThan(1);
});

test("ssh.key_data logs in without a file", async () => {
  const keyData = [readFileSync(sshd.key, "utf8")];
  const pool = connections(sshSettings(sshd, { keys: [], keyData }));
  expect((await say(pool, sh`id -un`)).text("Say")).toBe(userInfo().username);
  await pool.close();
});

test.each([
  [1, 1],
  [3, 3],
])("sshkit.max_concurrent_starts %i limits the concurrent handshakes", async (limit, most) => {
  let under = 0;
  let seen = 0;
  const pool = connections(
    sshSettings(sshd, { maxConcurrentStarts: limit, logLevel: "debug" }, ["  HostName 127.0.0.1"]),
    async () => undefined,
    (_, text) => {
      if (text.startsWith("Client: Trying 127")) seen = Math.max(seen, ++under);
      if (text.startsWith("connected")) under--;
    },
  );
  await Promise.all(["one", "two", "three"].map((host) => pool.session(host)));
  expect(seen).toBe(most);
  await pool.close();
});

test("ssh.connect_timeout is the time limit for a server that does not answer", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const pool = connections(sshSettings(sshd, { port, connectTimeoutSeconds: 0.2 }));
  await expect(pool.session("127.0.0.1")).rejects.toThrow(`connection to 127.0.0.1:${port} timed out`);
  silent.close();
});
