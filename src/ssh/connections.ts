import type { Duplex } from "node:stream";
import pLimit from "p-limit";
import { Client, type ConnectConfig } from "ssh2";
import type { Ssh } from "../config/config.ts";
import { MrskError, SshError } from "../errors.ts";
import { clientSettings } from "./settings/client-config.ts";
import { explain, LoginRefusedError } from "./explain.ts";
import { type Confirm, HostKeys, UnknownHostKeyError } from "./host-keys/host-keys.ts";
import { preferredKeyTypes } from "./host-keys/host-key-types.ts";
import { type AskPassphrase, KeyRing, type Method } from "./login/keys.ts";
import { KeyModes } from "./login/key-modes.ts";
import { type ClientEnvironment, type ConnectOptions, connectOptions } from "./settings/options.ts";
import { Login } from "./login/login.ts";
import { viaCommand } from "./proxy-command.ts";
import { Session } from "./session.ts";
import { sharedClientSettings } from "./settings/shared-settings.ts";
import { expectCertificates, useIdentities, verifyWithCertifiedKey } from "./ssh2-protocol.ts";
import { expandTilde } from "./settings/tokens.ts";

/** As long a login shell may take to read its start-up files. */
export const BEGIN_SECONDS = 30;
const KEEPALIVE_MILLISECONDS = 10_000;
const KEEPALIVE_COUNT = 3;

export interface ConnectionsOptions {
  readonly ssh: Ssh;
  readonly client: Omit<ClientEnvironment, "note">;
  /** As long a shell may take to begin. */
  readonly beginSeconds: number;
  readonly ask: AskPassphrase;
  /** Has a person confirm a new host's key, where ssh_config says `ask`. */
  readonly confirm: Confirm;
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
  private readonly hostKeys: HostKeys;
  private readonly clientSettings = sharedClientSettings();
  private readonly keyModes = new KeyModes();
  private readonly noted = new Set<string>();
  /** Ends what was opened, or is being opened. */
  private readonly ends = new Set<() => void>();
  private closed = false;

  constructor(options: ConnectionsOptions) {
    this.options = options;
    this.starts = pLimit(options.ssh.maxConcurrentStarts);
    const explicit = options.ssh.keys.map((path) => expandTilde(path, options.client.home));
    this.keys = new KeyRing(options.ask, explicit, options.ssh.keyData);
    this.hostKeys = new HostKeys(options.confirm, options.notify);
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
    const client = { ...this.options.client, note: (text: string) => this.note(host, text) };
    const options = await connectOptions(host, this.options.ssh, client, role, ask);
    this.keyModes.check(options.identityFiles, (text) => this.options.notify(host, text));
    try {
      return await this.connectWith(options);
    } catch (error) {
      if (!(error instanceof UnknownHostKeyError) || !(await this.hostKeys.confirmed(options, error.key))) throw error;
      return this.connectWith(options);
    }
  }

  /** Says once what is so for all hosts. */
  private note(host: string, text: string): void {
    if (this.noted.has(text)) return;
    this.noted.add(text);
    this.options.notify(host, text);
  }

  /** Passphrases are asked for when nothing else lets in, as ssh does it. */
  private async connectWith(options: ConnectOptions): Promise<Session> {
    const methods = await this.keys.methods(options);
    if (methods.length === 0) methods.push(...(await this.keys.unlocked(options, [])));
    try {
      return await this.attempt(options, methods);
    } catch (error) {
      if (!(error instanceof LoginRefusedError)) throw error;
      const more = await this.keys.unlocked(options, methods);
      if (more.length === 0) throw error;
      return this.attempt(options, more);
    }
  }

  private async attempt(options: ConnectOptions, methods: readonly Method[]): Promise<Session> {
    // A jump host is waited for outside the limit, or thirty waiting targets would keep it from starting.
    const socket = await this.socketTo(options);
    return this.starts(() => this.handshake(options, socket, methods));
  }

  private handshake(options: ConnectOptions, socket: Duplex | undefined, methods: readonly Method[]): Promise<Session> {
    if (this.closed) {
      socket?.destroy();
      return Promise.reject(new SshError(options.name, "the run has ended"));
    }
    const client = new Client();
    const end = () => void client.destroy();
    this.ends.add(end);
    client.once("close", () => this.ends.delete(end));
    const login = new Login(options.user, methods);
    const { logLevel } = this.options.ssh;
    const info = (text: string) => {
      if (logLevel === "info" || logLevel === "debug") this.options.log(options.name, text);
    };
    client.once("close", () => info("connection closed"));
    return new Promise((resolve, reject) => {
      let refusal: MrskError | undefined;
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
        reject(refusal ?? explain(options, error, login));
      });
      client.once("close", () =>
        reject(refusal ?? explain(options, new Error("the server closed the connection"), login)),
      );
      const config: ConnectConfig = {
        host: options.host,
        port: options.port,
        username: options.user,
        readyTimeout: timeout,
        timeout,
        keepaliveInterval: KEEPALIVE_MILLISECONDS,
        keepaliveCountMax: KEEPALIVE_COUNT,
        authHandler: login.handler,
        algorithms: { serverHostKey: preferredKeyTypes(this.hostKeys.known(options)) },
        // At once: ssh2 goes on with the handshake while a promise is waited for.
        hostVerifier: (key: Buffer) => {
          refusal = this.refusal(options, client, key);
          return refusal === undefined;
        },
        ...(socket ? { sock: socket } : {}),
        ...(logLevel === "debug" ? { debug: (text) => this.options.log(options.name, withoutCommand(text)) } : {}),
      };
      client.connect(config);
      useIdentities(client);
      expectCertificates(client);
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

  private refusal(options: ConnectOptions, client: Client, key: Buffer): MrskError | undefined {
    try {
      const verdict = this.hostKeys.judge(options, key);
      if (!verdict.good) return verdict.why;
      if (verdict.certificate) verifyWithCertifiedKey(client, verdict.certificate);
      return undefined;
    } catch (error) {
      return error instanceof MrskError
        ? error
        : new SshError(options.name, `its host key cannot be read: ${String(error)}`);
    }
  }

  /** Through jump hosts, a command's standard streams, or undefined for a plain socket. */
  private async socketTo(options: ConnectOptions): Promise<Duplex | undefined> {
    const last = options.jumps.at(-1);
    if (last !== undefined) {
      const bastion = await this.shared(last, "jump");
      return bastion.forward(options.host, options.port);
    }
    return options.proxyCommand === undefined ? undefined : viaCommand(options.proxyCommand);
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
