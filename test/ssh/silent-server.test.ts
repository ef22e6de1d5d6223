import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import ssh2, { type Connection } from "ssh2";
import { sh } from "../../src/script/command.ts";
import { script, step } from "../../src/script/script.ts";
import { RemoteHost } from "../../src/hosts/remote-host.ts";
import type { Ssh } from "../../src/config/config.ts";
import { ssh } from "../support/config.ts";
import { noSecrets } from "../support/no-secrets.ts";
import { connections } from "../support/sshd.ts";

const folder = mkdtempSync(join(tmpdir(), "silent-"));
const key = join(folder, "key");
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);

const servers: { close(): unknown }[] = [];
const sockets = new Set<Socket>();
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const one of servers) one.close();
});

async function listening(given: NetServer | ssh2.Server): Promise<number> {
  servers.push(given);
  await new Promise<void>((resolve) => void given.listen(0, "127.0.0.1", resolve));
  return (given.address() as AddressInfo).port;
}

/** A server that sends the banner on each connection, and then nothing. */
function mute(banner: string): Promise<number> {
  const greet = (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.write(banner);
  };
  return listening(createServer(greet));
}

/** An SSH server; `behave` sets up each connection. */
function server(behave: (client: Connection) => void): Promise<number> {
  const made = new ssh2.Server({ hostKeys: [readFileSync(key)] }, (client) => {
    client.on("error", () => {});
    behave(client);
  });
  return listening(made);
}

const acceptLogin = (client: Connection) => client.on("authentication", (request) => request.accept());

function settings(port: number, overrides: Partial<Ssh> = {}): Ssh {
  const file = join(folder, `config-${port}`);
  writeFileSync(
    file,
    "Host *\n  UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking no\n",
  );
  return ssh({
    user: "somebody",
    port,
    keys: [key],
    keysOnly: true,
    config: [file],
    connectTimeoutSeconds: 3,
    ...overrides,
  });
}

function hostOn(port: number, overrides: Partial<Ssh> = {}) {
  const pool = connections(settings(port, overrides), undefined, undefined, 3);
  const terminal = { input: process.stdin, output: process.stdout, type: "dumb" };
  return { pool, host: new RemoteHost("127.0.0.1", pool, () => {}, terminal, noSecrets) };
}

const work = script("Try", [step("Say", sh`echo yes`)]);

/** The stage at which a server stops answering, and the error message. */
const STAGES: readonly (readonly [stage: string, start: () => Promise<number>, message: string])[] = [
  ["after the connection", () => mute(""), "connection to 127.0.0.1:PORT timed out"],
  ["after its banner", () => mute("SSH-2.0-silent\r\n"), "connection to 127.0.0.1:PORT timed out"],
  [
    "at the login",
    () => server((client) => client.on("authentication", () => {})),
    "connection to 127.0.0.1:PORT timed out",
  ],
  [
    "at the opening of a channel",
    () => server((client) => acceptLogin(client).on("session", () => {})),
    "the server did not open a channel within 3 s",
  ],
  [
    "at the request for a command",
    () => server((client) => acceptLogin(client).on("session", (accept) => void accept().on("exec", () => {}))),
    "the server did not open a channel within 3 s",
  ],
  [
    "before the first output",
    () =>
      server((client) => acceptLogin(client).on("session", (accept) => void accept().on("exec", (run) => void run()))),
    "the login shell did not start within 3 s",
  ],
  [
    "before the first output, and at the end of the channel",
    () =>
      server((client) =>
        acceptLogin(client).on("session", (accept) => {
          (client as unknown as { _protocol: { channelClose(): void } })._protocol.channelClose = () => {};
          accept().on("exec", (run) => void run());
        }),
      ),
    "the login shell did not start within 3 s",
  ],
];

describe.concurrent("a server that stops answering", () => {
  test.each(STAGES)(
    "%s: the connection fails, with an error that names the stage",
    { timeout: 60_000 },
    async (_stage, start, message) => {
      const port = await start();
      const { pool, host } = hostOn(port);
      await expect(host.run(work)).rejects.toMatchObject({
        name: "SshError",
        exitCode: 5,
        message: `127.0.0.1: ${message.replace("PORT", String(port))}`,
      });
      await pool.close();
    },
  );

  test.each(STAGES)("%s: an interruption ends the wait", { timeout: 60_000 }, async (_stage, start) => {
    const { pool, host } = hostOn(await start(), { connectTimeoutSeconds: 3600 });
    const controller = new AbortController();
    const running = host.run(work, { signal: controller.signal });
    setTimeout(() => controller.abort(), 200);
    await expect(running).rejects.toMatchObject({ name: "InterruptedError" });
    await pool.close();
  });

  test("at the request for a terminal: the connection fails, and an interruption ends the wait", async () => {
    const port = await server((client) =>
      acceptLogin(client).on("session", (accept) => void accept().on("pty", () => {})),
    );
    const { pool, host } = hostOn(port);
    const command = { body: sh`true` };
    await expect(host.attach(command, "terminal", new AbortController().signal)).rejects.toMatchObject({
      message: "127.0.0.1: the server did not open a channel within 3 s",
    });
    await expect(host.attach(command, "terminal", AbortSignal.timeout(100))).rejects.toMatchObject({
      name: "InterruptedError",
    });
    await pool.close();
  });

  test("on a bastion, at the request for the next connection: the connection fails", async () => {
    const port = await server((client) => acceptLogin(client).on("tcpip", () => {}));
    const { pool, host } = hostOn(22, { proxy: `somebody@127.0.0.1:${port}` });
    await expect(host.run(work)).rejects.toMatchObject({
      message: `somebody@127.0.0.1:${port}: cannot reach 127.0.0.1:22 from here (no answer within 3 s)`,
    });
    await pool.close();
  });

  test("at one command: the next command gets a new connection", async () => {
    let connected = 0;
    const port = await server((client) => {
      connected++;
      acceptLogin(client).on("session", () => {});
    });
    const { pool, host } = hostOn(port);
    await expect(host.run(work)).rejects.toThrow("did not open a channel");
    await expect(host.run(work)).rejects.toThrow("did not open a channel");
    expect(connected).toBe(2);
    await pool.close();
  });
});

test("closing the connections also ends those that are being opened", async () => {
  let left = 0;
  let connected = () => {};
  const deaf = createServer((socket) => {
    socket
      .on("error", () => {})
      .on("close", () => left++)
      .resume();
    connected();
  });
  const { pool, host } = hostOn(await listening(deaf), { connectTimeoutSeconds: 3600 });
  connected = () => void pool.close();
  await expect(host.run(work)).rejects.toMatchObject({ name: "SshError" });
  await expect(host.run(work)).rejects.toThrow("the run has ended");
  await expect.poll(() => left).toBe(1);
});
