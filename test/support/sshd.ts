import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Ssh } from "../../src/config/config.ts";
import { Connections } from "../../src/ssh/connections.ts";
import { ssh } from "./config.ts";

/** A real sshd on 127.0.0.1, with separate keys. */
export interface Sshd {
  readonly port: number;
  readonly folder: string;
  /** An authorized key. */
  readonly key: string;
  /** A key that is not authorized. */
  readonly wrongKey: string;
  /** An authorized key with the passphrase `secret words`. */
  readonly encryptedKey: string;
  readonly knownHosts: string;
  /** The path of the log. */
  readonly log: string;
  stop(): void;
}

/** @throws Error without sshd on this machine */
export async function startSshd(
  settings: readonly string[] | ((folder: string) => readonly string[]) = [],
): Promise<Sshd> {
  const program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].find((path) => existsSync(path));
  if (!program) throw new Error("these tests need sshd: install openssh-server");
  const folder = mkdtempSync(join(tmpdir(), "mrsk-sshd-"));
  const key = makeKey(folder, "id_right");
  const wrongKey = makeKey(folder, "id_wrong");
  const encryptedKey = makeKey(folder, "id_encrypted", "secret words");
  makeKey(folder, "host_key");
  writeFileSync(
    join(folder, "authorized_keys"),
    readFileSync(`${key}.pub`, "utf8") + readFileSync(`${encryptedKey}.pub`, "utf8"),
  );
  const port = await freePort();
  const log = join(folder, "log");
  const lines = [
    // The first value of a keyword counts.
    ...(typeof settings === "function" ? settings(folder) : settings),
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host_key")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    `PidFile ${join(folder, "pid")}`,
  ];
  writeFileSync(join(folder, "sshd_config"), `${lines.join("\n")}\n`);
  if (userInfo().uid === 0) execFileSync("mkdir", ["-p", "/run/sshd"]);
  const daemon: ChildProcess = spawn(program, ["-D", "-E", log, "-f", join(folder, "sshd_config")], {
    stdio: "ignore",
  });
  await reachable(port);
  return {
    port,
    folder,
    key,
    wrongKey,
    encryptedKey,
    knownHosts: join(folder, "known_hosts"),
    log,
    stop: () => {
      daemon.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function makeKey(folder: string, name: string, passphrase = "", type = "ed25519"): string {
  const path = join(folder, name);
  execFileSync("ssh-keygen", [
    "-q",
    "-t",
    type,
    ...(type === "rsa" ? ["-b", "2048"] : []),
    "-N",
    passphrase,
    "-C",
    name,
    "-f",
    path,
  ]);
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.unref();
      setTimeout(() => socket.destroy(), 50);
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("sshd did not start");
}

/** `ssh` of a deploy.yml with the authorized key, and with a client configuration that reads no file of the user. */
export function sshSettings(sshd: Sshd, overrides: Partial<Ssh> = {}, more: readonly string[] = []): Ssh {
  const file = join(sshd.folder, `ssh_config_${Math.random().toString(36).slice(2)}`);
  writeFileSync(
    file,
    [
      "Host *",
      `  UserKnownHostsFile ${sshd.knownHosts}`,
      "  GlobalKnownHostsFile none",
      "  IdentityFile none",
      ...more,
    ].join("\n"),
  );
  return ssh({
    user: userInfo().username,
    port: sshd.port,
    keys: [sshd.key],
    keysOnly: true,
    config: [file],
    connectTimeoutSeconds: 5,
    ...overrides,
  });
}

export function connections(
  settings: Ssh,
  ask: (file: string) => Promise<string | undefined> = async () => undefined,
  log: (host: string, text: string) => void = () => {},
  beginSeconds = 30,
): Connections {
  const client = { agentSocket: undefined, home: "/nonexistent", environment: process.env };
  return new Connections({ ssh: settings, client, beginSeconds, ask, confirm: undefined, notify: () => {}, log });
}

interface Relay {
  readonly port: number;
  cut(): void;
  /** The number of connections so far. */
  accepted(): number;
  /** The number of times that the client sent data after the server had: the round trips, if each waits for the other. */
  turns(): number;
  close(): void;
}

/** A relay in front of a port, whose connections can be cut. */
export async function relay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let count = 0;
  let turns = 0;
  let sender: "client" | "server" = "server";
  const server: Server = createServer((client) => {
    count++;
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    client.on("data", () => {
      if (sender === "server") turns++;
      sender = "client";
    });
    upstream.on("data", () => (sender = "server"));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    accepted: () => count,
    turns: () => turns,
    close: () => void server.close(),
  };
}
