import { DEFAULTS } from "../../config/defaults.ts";
import { SshError } from "../../errors.ts";
import { type Certificate, fingerprint, hostCertificateProblem, readCertificate } from "./certificates.ts";
import { hostPattern, type KnownKey, knownKeys, remember } from "./known-hosts.ts";
import type { ConnectOptions } from "../settings/options.ts";
import { revokedBy } from "./revoked-keys.ts";
import { keyType } from "../wire.ts";

/** Asks a person, who answers with a line; undefined where there is no terminal. */
export type Confirm = ((question: string) => Promise<string>) | undefined;

/** What a host key comes to. `certificate`: it was vouched for by that one. */
export type Verdict =
  | { readonly good: true; readonly certificate?: Certificate }
  | { readonly good: false; readonly why: SshError };

/** A new host's key, which `StrictHostKeyChecking ask` wants confirmed. */
export class UnknownHostKeyError extends SshError {
  readonly key: Buffer;

  constructor(options: ConnectOptions, key: Buffer, why: string) {
    super(options.name, `its host key ${fingerprint(key)} is not known, and ${why}`, {
      hint: `Connect once with ssh ${options.host}, and compare its fingerprint.`,
    });
    this.key = key;
  }
}

const GOOD: Verdict = { good: true };

/** Decides on host keys, and writes down those of new hosts. */
export class HostKeys {
  private readonly confirm: Confirm;
  private readonly notify: (host: string, text: string) => void;
  private readonly remembered = new Set<string>();
  /** What a person confirmed in this run: a file may not keep it. */
  private readonly agreed = new Set<string>();
  private asking: Promise<unknown> = Promise.resolve();

  constructor(confirm: Confirm, notify: (host: string, text: string) => void) {
    this.confirm = confirm;
    this.notify = notify;
  }

  /** The lines of known_hosts for a host. */
  known(options: ConnectOptions): KnownKey[] {
    return knownKeys(options.knownHostsFiles, knownName(options), knownPort(options));
  }

  /** As ssh, a key is also good that is known for the host's name without the port. */
  private knownWithoutPort(options: ConnectOptions, key: Buffer): boolean {
    if (knownPort(options) === DEFAULTS.ssh.port) return false;
    const lines = knownKeys(options.knownHostsFiles, knownName(options), DEFAULTS.ssh.port).filter((line) =>
      line.key.equals(key),
    );
    return lines.some(({ authority }) => !authority) && !lines.some(({ revoked }) => revoked);
  }

  /** @throws MrskError when `RevokedHostKeys` cannot be read */
  judge(options: ConnectOptions, shown: Buffer): Verdict {
    const certificate = readCertificate(shown);
    const key = certificate?.key ?? shown;
    const known = this.known(options);
    const all = certificate ? [shown, key, certificate.authority] : [key];
    const byLine = known.find((one) => one.revoked && all.some((of) => of.equals(one.key)));
    const revoked = byLine?.file ?? revokedBy(options.revokedHostKeys, all);
    if (revoked) return refused(options, `its host key ${fingerprint(key)} was revoked in ${revoked}`);
    const problem = certificate && certificateProblem(options, certificate, known);
    if (certificate && problem === undefined) return { good: true, certificate };
    const plain = known.filter((line) => !line.authority && !line.revoked);
    const verdict = this.plain(options, key, plain, vouching(options, known, problem));
    return verdict.good && certificate ? { ...verdict, certificate } : verdict;
  }

  private plain(
    options: ConnectOptions,
    key: Buffer,
    known: readonly KnownKey[],
    unvouched: Verdict | undefined,
  ): Verdict {
    if (known.some((line) => line.key.equals(key))) return GOOD;
    const changed = known.find((line) => line.type === keyType(key)) ?? known[0];
    if (options.strictHostKeyChecking === "no") return this.unchecked(options, key, changed);
    if (changed) return refused(options, ...changedWords(options, key, changed));
    if (this.knownWithoutPort(options, key)) return GOOD;
    return unvouched ?? this.fresh(options, key);
  }

  private unchecked(options: ConnectOptions, key: Buffer, changed: KnownKey | undefined): Verdict {
    if (changed === undefined) this.accept(options, key);
    else
      this.notify(
        options.name,
        `warning: ${changedWords(options, key, changed)[0]} StrictHostKeyChecking is no: connected all the same.`,
      );
    return GOOD;
  }

  private fresh(options: ConnectOptions, key: Buffer): Verdict {
    const checking = options.strictHostKeyChecking;
    if (this.agreed.has(agreement(options, key))) return GOOD;
    if (checking === "yes" || checking === "ask") {
      const terminal = checking === "ask" && this.confirm === undefined ? ", and there is no terminal to ask on" : "";
      return {
        good: false,
        why: new UnknownHostKeyError(options, key, `StrictHostKeyChecking is ${checking}${terminal}`),
      };
    }
    this.accept(options, key);
    return GOOD;
  }

  /** Asks as ssh does, one question at a time, and writes down what was confirmed. */
  confirmed(options: ConnectOptions, key: Buffer): Promise<boolean> {
    const answering = this.asking.then(() => this.asked(options, key));
    this.asking = answering.catch(() => {});
    return answering;
  }

  private async asked(options: ConnectOptions, key: Buffer): Promise<boolean> {
    if (this.confirm === undefined || options.strictHostKeyChecking !== "ask") return false;
    if (this.agreed.has(agreement(options, key))) return true;
    let question =
      `The authenticity of host '${hostPattern(options.host, options.port)}' can't be established.\n` +
      `${keyKind(key)} key fingerprint is ${fingerprint(key)}.\n` +
      "Are you sure you want to continue connecting (yes/no/[fingerprint])? ";
    for (;;) {
      const answer = (await this.confirm(question)).trim();
      if (answer === "" || answer.toLowerCase() === "no") return false;
      if (answer.toLowerCase() === "yes" || answer === fingerprint(key)) break;
      question = "Please type 'yes', 'no' or the fingerprint: ";
    }
    this.agreed.add(agreement(options, key));
    this.accept(options, key);
    return true;
  }

  private accept(options: ConnectOptions, key: Buffer): void {
    const file = options.knownHostsFiles[0];
    const once = `${options.host}:${options.port}`;
    if (this.remembered.has(once)) return;
    this.remembered.add(once);
    const what = `its host key is new (${keyKind(key)} ${fingerprint(key)})`;
    if (file === undefined) return this.notify(options.name, `${what}, and written to no file`);
    try {
      remember(file, knownName(options), knownPort(options), key, options.hashKnownHosts);
      this.notify(options.name, `${what}, and now in ${file}`);
    } catch (error) {
      this.notify(options.name, `${what}, and could not be written to ${file}: ${(error as Error).message}`);
    }
  }
}

function agreement(options: ConnectOptions, key: Buffer): string {
  return `${hostPattern(knownName(options), knownPort(options))} ${fingerprint(key)}`;
}

function knownName({ hostKeyAlias, host }: ConnectOptions): string {
  return hostKeyAlias ?? host;
}

function knownPort({ hostKeyAlias, port }: ConnectOptions): number {
  return hostKeyAlias === undefined ? port : DEFAULTS.ssh.port;
}

function refused(options: ConnectOptions, what: string, hint?: string): Verdict {
  return { good: false, why: new SshError(options.name, what, { hint }) };
}

/** Why a certificate does not vouch for the host; undefined when it does. */
function certificateProblem(options: ConnectOptions, certificate: Certificate, known: readonly KnownKey[]) {
  const trusted = known.some((line) => line.authority && line.key.equals(certificate.authority));
  if (!trusted) return `its authority ${fingerprint(certificate.authority)} is not in known_hosts`;
  return hostCertificateProblem(certificate, knownName(options), Date.now());
}

/** The refusal of a key that an authority of known_hosts should vouch for, and does not. */
function vouching(options: ConnectOptions, known: readonly KnownKey[], problem: string | undefined) {
  const line = known.find(({ authority }) => authority);
  if (line === undefined) return undefined;
  const why =
    problem === undefined ? "the server showed no certificate" : `the server's certificate does not: ${problem}`;
  return refused(
    options,
    `an authority should vouch for its host key (${line.file}, line ${line.line}), but ${why}`,
    "Sign the server's host key again, or add its key to known_hosts.",
  );
}

function changedWords(options: ConnectOptions, key: Buffer, changed: KnownKey): [what: string, hint: string] {
  const name = hostPattern(knownName(options), knownPort(options));
  return [
    `its host key has changed to ${fingerprint(key)}: another one is in ${changed.file}, line ${changed.line}. The server was reinstalled, or the connection is being intercepted.`,
    `If the server was installed again: ssh-keygen -R '${name}' -f ${changed.file}`,
  ];
}

/** `ED25519`, as ssh names types of keys. */
function keyKind(key: Buffer): string {
  return keyType(key)
    .replace(/^ecdsa-.*/, "ECDSA")
    .replace(/^ssh-/, "")
    .toUpperCase();
}
