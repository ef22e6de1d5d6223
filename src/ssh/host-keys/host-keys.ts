import { DEFAULTS } from "../../config/defaults.ts";
import { SshError } from "../../errors.ts";
import { type Certificate, fingerprint, hostCertificateProblem, readCertificate } from "./certificates.ts";
import { hostPattern, type KnownKey, knownKeys, remember } from "./known-hosts.ts";
import type { ConnectOptions } from "../settings/options.ts";
import { revokedBy } from "./revoked-keys.ts";
import { keyType } from "../wire.ts";

/** Asks the user, who answers with a line; undefined without a terminal. */
export type Confirm = ((question: string) => Promise<string>) | undefined;

/** The result of a host key check. `certificate`: the server sent the key in this certificate. */
export type Verdict =
  | { readonly good: true; readonly certificate?: Certificate }
  | { readonly good: false; readonly why: SshError };

/** A new host's key, which is not accepted without a confirmation. */
export class UnknownHostKeyError extends SshError {
  readonly key: Buffer;

  constructor(options: ConnectOptions, key: Buffer, why: string) {
    super(options.name, `its host key ${fingerprint(key)} is not known, and ${why}`, {
      hint: `Connect once with ssh ${options.host}, and compare the fingerprint.`,
    });
    this.key = key;
  }
}

const GOOD: Verdict = { good: true };

/** Checks host keys, and adds the keys of new hosts to known_hosts. */
export class HostKeys {
  private readonly confirm: Confirm;
  private readonly notify: (host: string, text: string) => void;
  private readonly added = new Set<string>();
  /** Keys that the user confirmed in this run: known_hosts may be /dev/null. */
  private readonly accepted = new Set<string>();
  private prompts: Promise<unknown> = Promise.resolve();

  constructor(confirm: Confirm, notify: (host: string, text: string) => void) {
    this.confirm = confirm;
    this.notify = notify;
  }

  /** The lines of known_hosts for a host. */
  known(options: ConnectOptions): KnownKey[] {
    return knownKeys(options.knownHostsFiles, knownName(options), knownPort(options));
  }

  /** As in ssh, a key that is known for the host's name without the port is good too. */
  private knownWithoutPort(options: ConnectOptions, key: Buffer): boolean {
    if (knownPort(options) === DEFAULTS.ssh.port) return false;
    const lines = knownKeys(options.knownHostsFiles, knownName(options), DEFAULTS.ssh.port).filter((line) =>
      line.key.equals(key),
    );
    return lines.some(({ authority }) => !authority) && !lines.some(({ revoked }) => revoked);
  }

  /** @throws MrskError when `RevokedHostKeys` cannot be read */
  check(options: ConnectOptions, sent: Buffer): Verdict {
    const certificate = readCertificate(sent);
    const key = certificate?.key ?? sent;
    const known = this.known(options);
    const all = certificate ? [sent, key, certificate.authority] : [key];
    const revokedLine = known.find((one) => one.revoked && all.some((blob) => blob.equals(one.key)));
    const revoked = revokedLine?.file ?? revokedBy(options.revokedHostKeys, all);
    if (revoked) return refused(options, `its host key ${fingerprint(key)} was revoked in ${revoked}`);
    const problem = certificate && certificateProblem(options, certificate, known);
    if (certificate && problem === undefined) return { good: true, certificate };
    const plain = known.filter((line) => !line.authority && !line.revoked);
    const verdict = this.checkPlain(options, key, plain, missingCertificate(options, known, problem));
    return verdict.good && certificate ? { ...verdict, certificate } : verdict;
  }

  private checkPlain(
    options: ConnectOptions,
    key: Buffer,
    known: readonly KnownKey[],
    uncertified: Verdict | undefined,
  ): Verdict {
    if (known.some((line) => line.key.equals(key))) return GOOD;
    const changed = known.find((line) => line.type === keyType(key)) ?? known[0];
    if (options.strictHostKeyChecking === "no") return this.acceptAny(options, key, changed);
    if (changed) return refused(options, ...changedKey(options, key, changed));
    if (this.knownWithoutPort(options, key)) return GOOD;
    return uncertified ?? this.checkNew(options, key);
  }

  private acceptAny(options: ConnectOptions, key: Buffer, changed: KnownKey | undefined): Verdict {
    if (changed === undefined) this.accept(options, key);
    else
      this.notify(
        options.name,
        `warning: ${changedKey(options, key, changed)[0]} Connected anyway: StrictHostKeyChecking is no.`,
      );
    return GOOD;
  }

  private checkNew(options: ConnectOptions, key: Buffer): Verdict {
    const checking = options.strictHostKeyChecking;
    if (this.accepted.has(acceptedId(options, key))) return GOOD;
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

  /** Asks as ssh does, one question at a time, and adds a confirmed key to known_hosts. */
  confirmed(options: ConnectOptions, key: Buffer): Promise<boolean> {
    const answer = this.prompts.then(() => this.askUser(options, key));
    this.prompts = answer.catch(() => {});
    return answer;
  }

  private async askUser(options: ConnectOptions, key: Buffer): Promise<boolean> {
    if (this.confirm === undefined || options.strictHostKeyChecking !== "ask") return false;
    if (this.accepted.has(acceptedId(options, key))) return true;
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
    this.accepted.add(acceptedId(options, key));
    this.accept(options, key);
    return true;
  }

  private accept(options: ConnectOptions, key: Buffer): void {
    const file = options.knownHostsFiles[0];
    const address = `${options.host}:${options.port}`;
    if (this.added.has(address)) return;
    this.added.add(address);
    const what = `new host key accepted (${keyKind(key)} ${fingerprint(key)})`;
    if (file === undefined) return this.notify(options.name, `${what}, stored in no file`);
    try {
      remember(file, knownName(options), knownPort(options), key, options.hashKnownHosts);
      this.notify(options.name, `${what}, added to ${file}`);
    } catch (error) {
      this.notify(options.name, `${what}, but could not be added to ${file}: ${(error as Error).message}`);
    }
  }
}

function acceptedId(options: ConnectOptions, key: Buffer): string {
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

/** Why a certificate is not valid for the host; undefined if it is. */
function certificateProblem(options: ConnectOptions, certificate: Certificate, known: readonly KnownKey[]) {
  const trusted = known.some((line) => line.authority && line.key.equals(certificate.authority));
  if (!trusted) return `its authority ${fingerprint(certificate.authority)} is not in known_hosts`;
  return hostCertificateProblem(certificate, knownName(options), Date.now());
}

/** The refusal of a key without a valid certificate, if known_hosts has an authority for the host. */
function missingCertificate(options: ConnectOptions, known: readonly KnownKey[], problem: string | undefined) {
  const line = known.find(({ authority }) => authority);
  if (line === undefined) return undefined;
  const why = problem === undefined ? "the server sent none" : `the server's certificate is not valid: ${problem}`;
  return refused(
    options,
    `${line.file} line ${line.line} requires a certificate for its host key, but ${why}`,
    "Sign the server's host key again, or add the key itself to known_hosts.",
  );
}

function changedKey(options: ConnectOptions, key: Buffer, changed: KnownKey): [what: string, hint: string] {
  const name = hostPattern(knownName(options), knownPort(options));
  return [
    `host key ${fingerprint(key)} does not match ${changed.file} line ${changed.line}: the server was reinstalled, or the connection is being intercepted.`,
    `If the server was reinstalled: ssh-keygen -R '${name}' -f ${changed.file}`,
  ];
}

/** The key type as ssh prints it: `ED25519`. */
function keyKind(key: Buffer): string {
  return keyType(key)
    .replace(/^ecdsa-.*/, "ECDSA")
    .replace(/^ssh-/, "")
    .toUpperCase();
}
