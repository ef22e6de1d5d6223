import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import pLimit from "p-limit";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import type { Ssh } from "../config/config.ts";
import { SshError } from "../errors.ts";
import { clientSettings } from "./client-config.ts";
import { explain } from "./explain.ts";
import { type AskPassphrase, KeyRing } from "./keys.ts";
import { KeyModes } from "./key-modes.ts";
import { keyType, knownKeys, remember } from "./known-hosts.ts";
import { type ClientEnvironment, type ConnectOptions, connectOptions } from "./options.ts";
import { Session } from "./session.ts";
import { sharedClientSettings } from "./shared-settings.ts";

/** As long a login shell may take to read its start-up files. */
export const BEGIN_SECONDS = 30;
const KEEPALIVE_MILLISECONDS = 10_000;
const KEEPALIVE_COUNT = 3;
const KEY_TYPES: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
];

export interface ConnectionsOptions {
  readonly ssh: Ssh;
  readonly client: ClientEnvironment;
  /** As long a shell may take to begin. */
  readonly beginSeconds: number;
  readonly ask: AskPassphrase;
  /** Told of what a person should know: a new host's key that was accepted. */
  readonly notify: (host: string, text: string) => void;
  /** Told what `ssh.log_level` asks for. */
  readonly log: (host: string, text: string) => void;
}

/** One connection per host for the whole run, shared by all who ask for it. */
export class Connections {
  private readonly options: ConnectionsOptions;
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly starts: ReturnType<typeof pLimit>;
  private readonly keys: KeyRing;
  private readonly clientSettings = sharedClientSettings();
  private readonly keyModes = new KeyModes();
  private readonly remembered = new Set<string>();
  /** Ends what was opened, or is being opened. */
  private readonly ends = new Set<() => void>();
  private closed = false;

  constructor(options: ConnectionsOptions) {
    this.options = options;
    this.starts = pLimit(options.ssh.maxConcurrentStarts);
    const explicit = options.ssh.keys.map((path) => path.replace(/^~(?=\/)/, options.client.home));
    this.keys = new KeyRing(options.ask, explicit, options.ssh.keyData);
  }

  /** The host's session; ten callers share one handshake, and a failed one is forgotten. @throws SshError */
  session(host: string): Promise<Session> {
    return this.shared(host, "target");
  }

  private shared(host: string, role: "target" | "jump"): Promise<Session> {
    const key = `${role} ${host}`;
    const known = this.sessions.get(key);
    if (known) return known.then((session) => (session.usable ? session : this.renewed(key, host, role, known)));
    return this.started(key, host, role);
  }

  private renewed(key: string, host: string, role: "target" | "jump", old: Promise<Session>): Promise<Session> {
    if (this.sessions.get(key) === old) this.sessions.delete(key);
    return this.shared(host, role);
  }

  private started(key: string, host: string, role: "target" | "jump"): Promise<Session> {
    const starting = this.connect(host, role);
    this.sessions.set(key, starting);
    starting.catch(() => this.sessions.delete(key));
    return starting;
  }

  private async connect(host: string, role: "target" | "jump"): Promise<Session> {
    // OpenSSH refuses a jump host that is reached through itself, which only shows where it is asked for that one.
    const ask = role === "target" ? this.clientSettings : clientSettings;
    const options = await connectOptions(host, this.options.ssh, this.options.client, role, ask);
    this.keyModes.check(options.identityFiles, (text) => this.options.notify(host, text));
    // A jump host is waited for outside the limit, or thirty waiting targets would keep it from starting.
    const socket = await this.socketTo(options);
    const methods = await this.keys.methods(options);
    return this.starts(() =>
      this.handshake(
        options,
        socket,
        methods.map(({ auth }) => auth),
        methods.map(({ words }) => words),
      ),
    );
  }

  private handshake(
    options: ConnectOptions,
    socket: Duplex | undefined,
    auth: readonly Record<string, unknown>[],
    tried: readonly string[],
  ): Promise<Session> {
    const client = new Client();
    if (this.closed) {
      socket?.destroy();
      return Promise.reject(new SshError(options.name, "the run has ended"));
    }
    const end = () => void client.destroy();
    this.ends.add(end);
    client.once("close", () => this.ends.delete(end));
    const { logLevel } = this.options.ssh;
    const info = (text: string) => {
      if (logLevel === "info" || logLevel === "debug") this.options.log(options.name, text);
    };
    client.once("close", () => info("connection closed"));
    return new Promise((resolve, reject) => {
      let refusal: SshError | undefined;
      const timeout = this.options.ssh.connectTimeoutSeconds * 1000;
      client.once("ready", () => {
        client.removeAllListeners("error");
        info(`connected to ${options.user}@${options.host}, port ${options.port}`);
        this.ends.delete(end);
        resolve(this.opened(client, options.name));
      });
      client.on("error", (error) => {
        // An agent that does not answer is one way less to log in: ssh2 goes on with the next.
        if ((error as { level?: string }).level === "agent") return;
        client.destroy();
        reject(refusal ?? explain(options, error, tried));
      });
      client.once("close", () =>
        reject(refusal ?? explain(options, new Error("the server closed the connection"), tried)),
      );
      const config: ConnectConfig = {
        host: options.host,
        port: options.port,
        username: options.user,
        readyTimeout: timeout,
        timeout,
        keepaliveInterval: KEEPALIVE_MILLISECONDS,
        keepaliveCountMax: KEEPALIVE_COUNT,
        ...(options.agent === undefined ? {} : { agent: options.agent }),
        authHandler: [...auth] as never,
        algorithms: { serverHostKey: this.preferredKeyTypes(options) },
        hostVerifier: (key: Buffer) => {
          refusal = this.judge(options, key);
          return refusal === undefined;
        },
        ...(socket ? { sock: socket } : {}),
        ...(logLevel === "debug" ? { debug: (text) => this.options.log(options.name, withoutCommand(text)) } : {}),
      };
      client.connect(config);
      // ssh2 never sets it, and Nagle's algorithm costs 40 ms a command.
      client.setNoDelay(true);
    });
  }

  private opened(client: Client, name: string): Session {
    const session = new Session(client, name, {
      idleSeconds: this.options.ssh.poolIdleTimeoutSeconds,
      answerSeconds: this.options.ssh.connectTimeoutSeconds,
      beginSeconds: this.options.beginSeconds,
    });
    const end = () => session.close();
    this.ends.add(end);
    client.once("close", () => this.ends.delete(end));
    return session;
  }

  /** Types of known keys first: else a known host shows another key and looks changed. */
  private preferredKeyTypes(options: ConnectOptions): ServerHostKeyAlgorithm[] {
    const known = this.known(options).map(({ type }) => type);
    const wanted = (type: string) => known.includes(type) || (type.startsWith("rsa-sha2") && known.includes("ssh-rsa"));
    return [...KEY_TYPES.filter(wanted), ...KEY_TYPES.filter((type) => !wanted(type))] as ServerHostKeyAlgorithm[];
  }

  private known(options: ConnectOptions) {
    return knownKeys(
      options.knownHostsFiles,
      options.hostKeyAlias ?? options.host,
      options.hostKeyAlias ? 22 : options.port,
    );
  }

  /** @returns why the key is refused; undefined when it is good, writing down a new host's */
  private judge(options: ConnectOptions, key: Buffer): SshError | undefined {
    const known = this.known(options);
    const same = known.filter((entry) => entry.key.equals(key));
    if (same.some(({ revoked }) => revoked))
      return new SshError(options.name, "its host key was revoked in known_hosts");
    if (same.length > 0) return undefined;
    const changed = known.find((entry) => entry.type === keyType(key)) ?? known[0];
    if (options.strictHostKeyChecking === "no") return undefined;
    if (changed) {
      const where = options.port === 22 ? options.host : `[${options.host}]:${options.port}`;
      return new SshError(
        options.name,
        `its host key has changed: another one is in ${changed.file}, line ${changed.line}. Somebody may be listening in, or the server was made anew.`,
        { hint: `If the server was made anew: ssh-keygen -R '${where}' -f ${changed.file}` },
      );
    }
    if (options.strictHostKeyChecking === "yes") {
      return new SshError(options.name, "its host key is not known, and StrictHostKeyChecking is yes", {
        hint: `Connect once with ssh ${options.host}, and compare its fingerprint.`,
      });
    }
    this.accept(options, key);
    return undefined;
  }

  private accept(options: ConnectOptions, key: Buffer): void {
    const file = options.knownHostsFiles[0];
    const once = `${options.host}:${options.port}`;
    if (file === undefined || this.remembered.has(once)) return;
    this.remembered.add(once);
    try {
      remember(
        file,
        options.hostKeyAlias ?? options.host,
        options.hostKeyAlias ? 22 : options.port,
        key,
        options.hashKnownHosts,
      );
      this.options.notify(options.name, `its host key is new, and now in ${file}`);
    } catch (error) {
      this.options.notify(
        options.name,
        `its host key is new, and could not be written to ${file}: ${(error as Error).message}`,
      );
    }
  }

  /** Through jump hosts, a command's standard streams, or undefined for a plain socket. */
  private async socketTo(options: ConnectOptions): Promise<Duplex | undefined> {
    const last = options.jumps.at(-1);
    if (last !== undefined) {
      const bastion = await this.shared(last, "jump");
      return bastion.forward(options.host, options.port);
    }
    return options.proxyCommand === undefined ? undefined : viaCommand(options, options.proxyCommand);
  }

  /** Ends every connection, also what is being opened. */
  close(): Promise<void> {
    this.closed = true;
    for (const end of this.ends) end();
    this.sessions.clear();
    return Promise.resolve();
  }
}

/** What is run is shown by -v, redacted there; ssh2 names it when it asks for a channel. */
function withoutCommand(text: string): string {
  return text.replace(/(\bexec): .*/s, "$1)");
}

function viaCommand(options: ConnectOptions, template: string): Duplex {
  const values: Record<string, string> = {
    h: options.host,
    p: String(options.port),
    r: options.user,
    n: options.name,
    "%": "%",
  };
  const command = template.replaceAll(/%([hprn%])/g, (_, letter: string) => values[letter]!);
  const child = spawn("/bin/sh", ["-c", `exec ${command}`], { stdio: ["pipe", "pipe", "inherit"] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  stream.on("close", () => {
    child.kill();
    // One that ignores the signal must not keep this process.
    child.unref();
  });
  child.on("error", (error) => stream.destroy(error));
  return stream;
}
