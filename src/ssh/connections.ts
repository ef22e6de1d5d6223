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

/** Time limit for a login shell to read its start-up files. */
export const BEGIN_SECONDS = 30;
const KEEPALIVE_MILLISECONDS = 10_000;
const KEEPALIVE_COUNT = 3;

export interface ConnectionsOptions {
  readonly ssh: Ssh;
  readonly client: Omit<ClientEnvironment, "note">;
  /** Time limit for a shell to start. */
  readonly beginSeconds: number;
  readonly ask: AskPassphrase;
  /** Asks the user to confirm a new host's key, if ssh_config has `StrictHostKeyChecking ask`. */
  readonly confirm: Confirm;
  /** Receives notices for the user, for example that a new host's key was accepted. */
  readonly notify: (host: string, text: string) => void;
  /** Receives the lines that `ssh.log_level` enables. */
  readonly log: (host: string, text: string) => void;
}

/** One connection per host for the whole run, shared by all callers. */
export class Connections {
  private readonly options: ConnectionsOptions;
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly starts: ReturnType<typeof pLimit>;
  private readonly keys: KeyRing;
  private readonly hostKeys: HostKeys;
  private readonly clientSettings = sharedClientSettings();
  private readonly keyModes = new KeyModes();
  private readonly notices = new Set<string>();
  /** Closes each connection that is open or being opened. */
  private readonly closers = new Set<() => void>();
  private closed = false;

  constructor(options: ConnectionsOptions) {
    this.options = options;
    this.starts = pLimit(options.ssh.maxConcurrentStarts);
    const explicit = options.ssh.keys.map((path) => expandTilde(path, options.client.home));
    this.keys = new KeyRing(options.ask, explicit, options.ssh.keyData);
    this.hostKeys = new HostKeys(options.confirm, options.notify);
  }

  /** The host's session. Concurrent callers share one handshake; a failed one is not kept. @throws SshError */
  session(host: string): Promise<Session> {
    return this.shared(host, "target");
  }

  private shared(host: string, role: "target" | "jump"): Promise<Session> {
    const key = `${role} ${host}`;
    const known = this.sessions.get(key);
    if (known) return known.then((session) => (session.usable ? session : this.reopen(key, host, role, known)));
    return this.open(key, host, role);
  }

  private reopen(key: string, host: string, role: "target" | "jump", old: Promise<Session>): Promise<Session> {
    if (this.sessions.get(key) === old) this.sessions.delete(key);
    return this.shared(host, role);
  }

  private open(key: string, host: string, role: "target" | "jump"): Promise<Session> {
    const opening = this.connect(host, role);
    this.sessions.set(key, opening);
    opening.catch(() => this.sessions.delete(key));
    return opening;
  }

  private async connect(host: string, role: "target" | "jump"): Promise<Session> {
    // OpenSSH refuses a jump host that is reached through itself, but only if `ssh -G` is called for that host.
    const read = role === "target" ? this.clientSettings : clientSettings;
    const client = { ...this.options.client, note: (text: string) => this.note(host, text) };
    const options = await connectOptions(host, this.options.ssh, client, role, read);
    this.keyModes.check(options.identityFiles, (text) => this.options.notify(host, text));
    try {
      return await this.connectWith(options);
    } catch (error) {
      if (!(error instanceof UnknownHostKeyError) || !(await this.hostKeys.confirmed(options, error.key))) throw error;
      return this.connectWith(options);
    }
  }

  /** Reports a notice once, not for every host. */
  private note(host: string, text: string): void {
    if (this.notices.has(text)) return;
    this.notices.add(text);
    this.options.notify(host, text);
  }

  /** Prompts for passphrases only after all other methods have failed, as ssh does. */
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
    // Wait for the jump host outside the limit: otherwise thirty waiting targets would keep it from starting.
    const socket = await this.socketTo(options);
    return this.starts(() => this.handshake(options, socket, methods));
  }

  private handshake(options: ConnectOptions, socket: Duplex | undefined, methods: readonly Method[]): Promise<Session> {
    if (this.closed) {
      socket?.destroy();
      return Promise.reject(new SshError(options.name, "the run has ended"));
    }
    const client = new Client();
    const close = () => void client.destroy();
    this.closers.add(close);
    client.once("close", () => this.closers.delete(close));
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
        this.closers.delete(close);
        resolve(this.opened(client, options.name));
      });
      client.on("error", (error) => {
        // If an agent does not answer, ssh2 tries the next method.
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
        // Synchronous: ssh2 would continue the handshake before a promise resolves.
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
    const close = () => session.close();
    this.closers.add(close);
    client.once("close", () => this.closers.delete(close));
    return session;
  }

  private refusal(options: ConnectOptions, client: Client, key: Buffer): MrskError | undefined {
    try {
      const verdict = this.hostKeys.check(options, key);
      if (!verdict.good) return verdict.why;
      if (verdict.certificate) verifyWithCertifiedKey(client, verdict.certificate);
      return undefined;
    } catch (error) {
      return error instanceof MrskError
        ? error
        : new SshError(options.name, `its host key cannot be read: ${String(error)}`);
    }
  }

  /** A stream through jump hosts or a proxy command; undefined for a plain socket. */
  private async socketTo(options: ConnectOptions): Promise<Duplex | undefined> {
    const last = options.jumps.at(-1);
    if (last !== undefined) {
      const bastion = await this.shared(last, "jump");
      return bastion.forward(options.host, options.port);
    }
    return options.proxyCommand === undefined ? undefined : viaCommand(options.proxyCommand);
  }

  /** Closes every connection, also those that are being opened. */
  close(): Promise<void> {
    this.closed = true;
    for (const close of this.closers) close();
    this.sessions.clear();
    return Promise.resolve();
  }
}

/** ssh2's debug output holds the command line, secrets included; -v prints it redacted. */
function withoutCommand(text: string): string {
  return text.replace(/(\bexec): .*/s, "$1)");
}
