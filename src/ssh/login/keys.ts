import { existsSync } from "node:fs";
import type { AuthenticationType, ParsedKey } from "ssh2";
import { Agent } from "./agent.ts";
import type { Certificate } from "../host-keys/certificates.ts";
import { Identities, type Identity, ofAgent, ofKey } from "./identities.ts";
import { certificateIn, isPrivate, isPublic, type KeyFile, keyFile, parse, textOf } from "./key-files.ts";
import type { ConnectOptions } from "../settings/options.ts";

/** Asks for a passphrase; undefined where nobody can be asked. */
export type AskPassphrase = (keyFile: string) => Promise<string | undefined>;

/** One way to log in, with words for the error when none of them worked. */
export interface Method {
  readonly words: string;
  readonly auth: Record<string, unknown> & { readonly type: AuthenticationType };
}

/** What one connection can choose from. */
interface Choice {
  readonly user: string;
  readonly agent: Agent | undefined;
  readonly held: readonly Buffer[];
  /** Of `CertificateFile`. */
  readonly certificates: readonly Certificate[];
}

/** Reads each private key once for the whole run: decrypting one takes a fifth of a second. */
export class KeyRing {
  private readonly parsed = new Map<string, Promise<ParsedKey | undefined>>();
  private readonly ask: AskPassphrase;
  private readonly keyData: readonly string[];
  private readonly explicit: readonly string[];
  private prompts: Promise<unknown> = Promise.resolve();

  /** @param explicit key files that deploy.yml names: one that cannot be read is an error */
  constructor(ask: AskPassphrase, explicit: readonly string[], keyData: readonly string[]) {
    this.ask = ask;
    this.explicit = explicit;
    this.keyData = keyData;
  }

  /**
   * What to try, in order: named certificates and keys, each signed for by the agent if it holds the key, then the
   * agent's other keys, then keys that are only there by their usual name. Asks for no passphrase.
   */
  async methods(options: ConnectOptions): Promise<Method[]> {
    const choice = await choiceFor(options);
    const files = options.identityFiles.map((path) => keyFile(path));
    const isNamed = ({ path }: KeyFile) => options.identitiesNamed || this.explicit.includes(path);
    const [named, usual] = [files.filter(isNamed), files.filter((file) => !isNamed(file))];
    const methods = [...this.fromData(options.user), ...(await this.fromCertificates(choice, files))];
    for (const file of named) methods.push(...(await this.fromFile(choice, file)));
    methods.push(...others(options, choice, files, named));
    const left = usual.filter((file) => heldOf(choice, file) === undefined);
    for (const file of left) methods.push(...(await this.fromFile(choice, file)));
    return methods;
  }

  /** What there is to try beyond `tried`, when a person gives the passphrases. */
  async unlocked(options: ConnectOptions, tried: readonly Method[]): Promise<Method[]> {
    const choice = await choiceFor(options);
    const files = options.identityFiles.map((path) => keyFile(path));
    const isTried = (file: KeyFile) => tried.some(({ words }) => words === file.path);
    const locked = files.filter((file) => file.encrypted && !isTried(file) && heldOf(choice, file) === undefined);
    for (const { path } of locked) await this.remembered(path, () => this.withPassphrase(path));
    const open = locked.map((file) => this.fromFile(choice, file));
    return [...(await this.fromCertificates(choice, locked)), ...(await Promise.all(open)).flat()];
  }

  private fromData(user: string): Method[] {
    return this.keyData.map((text, i) => keyMethod(`ssh.key_data[${i}]`, user, parse(text, `ssh.key_data[${i}]`)));
  }

  /** `CertificateFile` names no key: it is the one among the files or the agent's that the certificate is for. */
  private async fromCertificates(choice: Choice, files: readonly KeyFile[]): Promise<Method[]> {
    const methods: Method[] = [];
    for (const certificate of choice.certificates) {
      const of = files.find((file) => file.public?.equals(certificate.key));
      const identity = await this.certified(choice, of?.path, certificate);
      if (identity)
        methods.push(
          identityMethod(`the certificate for ${of?.path ?? "a key of the agent"}`, choice.user, [identity]),
        );
    }
    return methods;
  }

  private async fromFile(choice: Choice, file: KeyFile): Promise<Method[]> {
    const certified = await Promise.all(file.certificates.map((one) => this.certified(choice, file.path, one)));
    const certificates = certified.flatMap((identity) => identity ?? []);
    const methods = certificates.map((one) => identityMethod(`the certificate of ${file.path}`, choice.user, [one]));
    const held = heldOf(choice, file);
    if (choice.agent && held)
      return [...methods, identityMethod(`${file.path} (in the agent)`, choice.user, [ofAgent(choice.agent, held)])];
    const key = await this.key(file);
    return key ? [...methods, keyMethod(file.path, choice.user, key)] : methods;
  }

  /** What signs for a certificate: the agent, which holds it or its key, or the key's file. */
  private async certified(
    { agent, held }: Choice,
    path: string | undefined,
    certificate: Certificate,
  ): Promise<Identity | undefined> {
    const holds = [certificate.blob, certificate.key].find((blob) => held.some((one) => one.equals(blob)));
    if (agent && holds) return ofAgent(agent, certificate.blob, holds);
    const key = path === undefined ? undefined : await this.key(keyFile(path));
    return key && ofKey(key, certificate.blob);
  }

  /** An encrypted key is there once a person gave its passphrase. */
  private key({ path, encrypted }: KeyFile): Promise<ParsedKey | undefined> {
    return (
      this.parsed.get(path) ?? (encrypted ? Promise.resolve(undefined) : this.remembered(path, () => this.plain(path)))
    );
  }

  private remembered(path: string, read: () => Promise<ParsedKey | undefined>): Promise<ParsedKey | undefined> {
    const reading = this.parsed.get(path) ?? read();
    this.parsed.set(path, reading);
    return reading;
  }

  private async plain(path: string): Promise<ParsedKey | undefined> {
    const text = textOf(path);
    // A key that deploy.yml does not name and that cannot be read (of a security key, for one) is passed over, and so
    // is a public key, which only says which of the agent's keys is meant.
    if (text === undefined || isPublic(text)) return undefined;
    return this.explicit.includes(path) || isPrivate(text) ? parse(text, path) : undefined;
  }

  private async withPassphrase(path: string): Promise<ParsedKey | undefined> {
    const asked = this.prompts.then(() => this.ask(path));
    this.prompts = asked.catch(() => {});
    const passphrase = await asked;
    return passphrase === undefined ? undefined : parse(textOf(path) ?? "", path, passphrase);
  }
}

function heldOf({ agent, held }: Choice, file: KeyFile): Buffer | undefined {
  return agent && held.find((blob) => file.public?.equals(blob));
}

/** An agent that does not answer is one way less to log in. */
async function choiceFor(options: ConnectOptions): Promise<Choice> {
  const agent = options.agent !== undefined && existsSync(options.agent) ? new Agent(options.agent) : undefined;
  const held = (await agent?.keys().catch(() => [])) ?? [];
  const certificates = options.certificateFiles.flatMap((file) => certificateIn(file) ?? []);
  return { user: options.user, agent, held, certificates };
}

/** The agent's keys beyond those that are named; `IdentitiesOnly` leaves of them only keys that have a file. */
function others(
  options: ConnectOptions,
  { agent, held, certificates, user }: Choice,
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

function keyMethod(words: string, username: string, key: ParsedKey): Method {
  return { words, auth: { type: "publickey", username, key } };
}

function identityMethod(words: string, username: string, list: readonly Identity[]): Method {
  return { words, auth: { type: "agent", username, agent: new Identities(list) } };
}
