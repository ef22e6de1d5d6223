import { existsSync } from "node:fs";
import type { AuthenticationType, ParsedKey } from "ssh2";
import { Agent } from "./agent.ts";
import type { Certificate } from "../host-keys/certificates.ts";
import { Identities, type Identity, ofAgent, ofKey } from "./identities.ts";
import { certificateIn, isPrivate, isPublic, type KeyFile, keyFile, parse, textOf } from "./key-files.ts";
import type { ConnectOptions } from "../settings/options.ts";

/** Asks the user for a passphrase; undefined without a terminal. */
export type AskPassphrase = (keyFile: string) => Promise<string | undefined>;

/** One way to log in. */
export interface Method {
  /** Its name in the error message, if no method worked. */
  readonly label: string;
  readonly auth: Record<string, unknown> & { readonly type: AuthenticationType };
}

/** Agent keys and certificates of one connection. */
interface Available {
  readonly user: string;
  readonly agent: Agent | undefined;
  readonly held: readonly Buffer[];
  /** From `CertificateFile`. */
  readonly certificates: readonly Certificate[];
}

/** Reads each private key once for the whole run: decrypting one takes a fifth of a second. */
export class KeyRing {
  private readonly parsed = new Map<string, Promise<ParsedKey | undefined>>();
  private readonly ask: AskPassphrase;
  private readonly keyData: readonly string[];
  private readonly explicit: readonly string[];
  private prompts: Promise<unknown> = Promise.resolve();

  /** @param explicit key files that deploy.yml names: an unreadable one is an error */
  constructor(ask: AskPassphrase, explicit: readonly string[], keyData: readonly string[]) {
    this.ask = ask;
    this.explicit = explicit;
    this.keyData = keyData;
  }

  /**
   * The methods to try, in order: named certificates and keys (the agent signs if it holds the key), then the agent's
   * other keys, then keys with a default name. Asks for no passphrase.
   */
  async methods(options: ConnectOptions): Promise<Method[]> {
    const available = await availableFor(options);
    const files = options.identityFiles.map((path) => keyFile(path));
    const isNamed = ({ path }: KeyFile) => options.identitiesNamed || this.explicit.includes(path);
    const [named, unnamed] = [files.filter(isNamed), files.filter((file) => !isNamed(file))];
    const methods = [...this.fromData(options.user), ...(await this.fromCertificates(available, files))];
    for (const file of named) methods.push(...(await this.fromFile(available, file)));
    methods.push(...others(options, available, files, named));
    const left = unnamed.filter((file) => heldOf(available, file) === undefined);
    for (const file of left) methods.push(...(await this.fromFile(available, file)));
    return methods;
  }

  /** The methods beyond `tried` for which the user enters a passphrase. */
  async unlocked(options: ConnectOptions, tried: readonly Method[]): Promise<Method[]> {
    const available = await availableFor(options);
    const files = options.identityFiles.map((path) => keyFile(path));
    const isTried = (file: KeyFile) => tried.some(({ label }) => label === file.path);
    const locked = files.filter((file) => file.encrypted && !isTried(file) && heldOf(available, file) === undefined);
    for (const { path } of locked) await this.readOnce(path, () => this.withPassphrase(path));
    const fromFiles = locked.map((file) => this.fromFile(available, file));
    return [...(await this.fromCertificates(available, locked)), ...(await Promise.all(fromFiles)).flat()];
  }

  private fromData(user: string): Method[] {
    return this.keyData.map((text, i) => keyMethod(`ssh.key_data[${i}]`, user, parse(text, `ssh.key_data[${i}]`)));
  }

  /** `CertificateFile` names no key: the certified key is among the files or in the agent. */
  private async fromCertificates(available: Available, files: readonly KeyFile[]): Promise<Method[]> {
    const methods: Method[] = [];
    for (const certificate of available.certificates) {
      const file = files.find((one) => one.public?.equals(certificate.key));
      const identity = await this.certified(available, file?.path, certificate);
      if (identity)
        methods.push(
          identityMethod(`the certificate for ${file?.path ?? "a key in the agent"}`, available.user, [identity]),
        );
    }
    return methods;
  }

  private async fromFile(available: Available, file: KeyFile): Promise<Method[]> {
    const certified = await Promise.all(file.certificates.map((one) => this.certified(available, file.path, one)));
    const certificates = certified.flatMap((identity) => identity ?? []);
    const methods = certificates.map((one) => identityMethod(`the certificate of ${file.path}`, available.user, [one]));
    const held = heldOf(available, file);
    if (available.agent && held)
      return [
        ...methods,
        identityMethod(`${file.path} (in the agent)`, available.user, [ofAgent(available.agent, held)]),
      ];
    const key = await this.key(file);
    return key ? [...methods, keyMethod(file.path, available.user, key)] : methods;
  }

  /** A certificate with its signer: the agent, if it holds the certificate or its key, or the key file. */
  private async certified(
    { agent, held }: Available,
    path: string | undefined,
    certificate: Certificate,
  ): Promise<Identity | undefined> {
    const holds = [certificate.blob, certificate.key].find((blob) => held.some((one) => one.equals(blob)));
    if (agent && holds) return ofAgent(agent, certificate.blob, holds);
    const key = path === undefined ? undefined : await this.key(keyFile(path));
    return key && ofKey(key, certificate.blob);
  }

  /** Undefined for an encrypted key until the user has entered its passphrase. */
  private key({ path, encrypted }: KeyFile): Promise<ParsedKey | undefined> {
    return (
      this.parsed.get(path) ?? (encrypted ? Promise.resolve(undefined) : this.readOnce(path, () => this.plain(path)))
    );
  }

  private readOnce(path: string, read: () => Promise<ParsedKey | undefined>): Promise<ParsedKey | undefined> {
    const reading = this.parsed.get(path) ?? read();
    this.parsed.set(path, reading);
    return reading;
  }

  private async plain(path: string): Promise<ParsedKey | undefined> {
    const text = textOf(path);
    // Ignore a key that deploy.yml does not name and that cannot be read (a security key, for example), and a public
    // key, which only selects a key of the agent.
    if (text === undefined || isPublic(text)) return undefined;
    return this.explicit.includes(path) || isPrivate(text) ? parse(text, path) : undefined;
  }

  private async withPassphrase(path: string): Promise<ParsedKey | undefined> {
    const answer = this.prompts.then(() => this.ask(path));
    this.prompts = answer.catch(() => {});
    const passphrase = await answer;
    return passphrase === undefined ? undefined : parse(textOf(path) ?? "", path, passphrase);
  }
}

function heldOf({ agent, held }: Available, file: KeyFile): Buffer | undefined {
  return agent && held.find((blob) => file.public?.equals(blob));
}

/** If the agent does not answer, the connection is tried without its keys. */
async function availableFor(options: ConnectOptions): Promise<Available> {
  const agent = options.agent !== undefined && existsSync(options.agent) ? new Agent(options.agent) : undefined;
  const held = (await agent?.keys().catch(() => [])) ?? [];
  const certificates = options.certificateFiles.flatMap((file) => certificateIn(file) ?? []);
  return { user: options.user, agent, held, certificates };
}

/** The agent's keys that are not named; with `IdentitiesOnly`, only those that have a key file. */
function others(
  options: ConnectOptions,
  { agent, held, certificates, user }: Available,
  files: readonly KeyFile[],
  named: readonly KeyFile[],
): Method[] {
  if (agent === undefined) return [];
  const isNamed = isOneOf([...blobsOf(named), ...certificates.map(({ blob }) => blob)]);
  const hasFile = isOneOf(blobsOf(files));
  const left = held.filter((blob) => !isNamed(blob) && (!options.identitiesOnly || hasFile(blob)));
  if (left.length === 0) return [];
  const list = left.map((blob) => ofAgent(agent, blob));
  return [identityMethod(`the agent at ${options.agent}`, user, list)];
}

function blobsOf(files: readonly KeyFile[]): Buffer[] {
  return files.flatMap((file) => [...(file.public ? [file.public] : []), ...file.certificates.map(({ blob }) => blob)]);
}

function isOneOf(list: readonly Buffer[]): (blob: Buffer) => boolean {
  return (blob) => list.some((one) => one.equals(blob));
}

function keyMethod(label: string, username: string, key: ParsedKey): Method {
  return { label, auth: { type: "publickey", username, key } };
}

function identityMethod(label: string, username: string, list: readonly Identity[]): Method {
  return { label, auth: { type: "agent", username, agent: new Identities(list) } };
}
