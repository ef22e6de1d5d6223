import { existsSync, readFileSync } from "node:fs";
import { type AuthenticationType, BaseAgent, createAgent, type ParsedKey, utils } from "ssh2";
import { ExitCode, MrskError } from "../errors.ts";
import type { ConnectOptions } from "./options.ts";

/** Asks for a passphrase; undefined where nobody can be asked. */
export type AskPassphrase = (keyFile: string) => Promise<string | undefined>;

/** One way to log in, with words for the error when none of them worked. */
export interface Method {
  readonly words: string;
  readonly auth: Record<string, unknown> & { readonly type: AuthenticationType };
}

/** Reads each private key once for the whole run: decrypting one takes a fifth of a second. */
export class KeyRing {
  private readonly parsed = new Map<string, Promise<ParsedKey | undefined>>();
  private readonly ask: AskPassphrase;
  private readonly keyData: readonly string[];
  private readonly explicit: readonly string[];
  private asking: Promise<unknown> = Promise.resolve();

  /** @param explicit key files that deploy.yml names: tried first, and their absence is an error */
  constructor(ask: AskPassphrase, explicit: readonly string[], keyData: readonly string[]) {
    this.ask = ask;
    this.explicit = explicit;
    this.keyData = keyData;
  }

  /** What to try, in order: named keys, the agent, other keys that are there, encrypted ones last. */
  async methods(options: ConnectOptions): Promise<Method[]> {
    const files = options.identityFiles.filter((file) => existsSync(file));
    const named = files.filter((file) => this.explicit.includes(file));
    const others = files.filter((file) => !this.explicit.includes(file));
    const open = (list: readonly string[]) => list.filter((file) => !isEncrypted(file));
    const data = this.keyData.map((text, i) => ({
      words: `ssh.key_data[${i}]`,
      key: parse(text, `ssh.key_data[${i}]`),
    }));
    const methods = data.map(({ words, key }) => keyMethod(words, options.user, key));
    methods.push(...(await this.fromFiles(open(named), options.user)));
    if (options.agent !== undefined && existsSync(options.agent)) {
      const agent = options.identitiesOnly ? new FilteredAgent(options.agent, options.identityFiles) : options.agent;
      methods.push({ words: `the agent at ${options.agent}`, auth: { type: "agent", username: options.user, agent } });
    }
    methods.push(...(await this.fromFiles(open(others), options.user)));
    // Encrypted keys are asked for only when nothing else is left, or was named.
    const encrypted = [...named, ...(methods.length === 0 ? others : [])].filter(isEncrypted);
    methods.push(...(await this.fromFiles(encrypted, options.user)));
    return methods;
  }

  private async fromFiles(files: readonly string[], username: string): Promise<Method[]> {
    const found: Method[] = [];
    for (const file of files) {
      const key = await this.key(file);
      if (key) found.push(keyMethod(file, username, key));
    }
    return found;
  }

  private key(file: string): Promise<ParsedKey | undefined> {
    const known = this.parsed.get(file);
    if (known) return known;
    const reading = this.read(file);
    this.parsed.set(file, reading);
    return reading;
  }

  private async read(file: string): Promise<ParsedKey | undefined> {
    const text = readFileSync(file, "utf8");
    // A key that nobody named and that cannot be read (of a security key, for one) is passed over, and so is a public
    // key, which only says which of the agent's keys is meant.
    if (!this.explicit.includes(file) && !isPrivate(text) && !isEncrypted(file)) return undefined;
    if (!isEncrypted(file)) return parse(text, file);
    const asked = this.asking.then(() => this.ask(file));
    this.asking = asked.catch(() => {});
    const passphrase = await asked;
    return passphrase === undefined ? undefined : parse(text, file, passphrase);
  }
}

function keyMethod(words: string, username: string, key: ParsedKey): Method {
  return { words, auth: { type: "publickey", username, key } };
}

function isPrivate(text: string): boolean {
  const parsed = utils.parseKey(text);
  return !(parsed instanceof Error) && (Array.isArray(parsed) ? parsed[0]! : parsed).isPrivateKey();
}

function isEncrypted(file: string): boolean {
  const parsed = utils.parseKey(readFileSync(file));
  return parsed instanceof Error && /encrypted|passphrase/i.test(parsed.message);
}

function parse(text: string, where: string, passphrase?: string): ParsedKey {
  const parsed = passphrase === undefined ? utils.parseKey(text) : utils.parseKey(text, passphrase);
  if (parsed instanceof Error) {
    const wrong = /bad passphrase|integrity/i.test(parsed.message);
    const hint = wrong
      ? "Try again with the right passphrase."
      : `Rewrite it in OpenSSH's own format: ssh-keygen -p -f ${where}`;
    throw new MrskError(ExitCode.remote, `The private key ${where} cannot be read: ${parsed.message}`, {
      hint,
      cause: parsed,
    });
  }
  return Array.isArray(parsed) ? parsed[0]! : parsed;
}

/** `IdentitiesOnly`: of the agent's keys, those whose public half is a named file, or lies beside one. */
class FilteredAgent extends BaseAgent {
  private readonly inner: BaseAgent;
  private readonly allowed: readonly string[];

  constructor(socket: string, files: readonly string[]) {
    super();
    this.inner = createAgent(socket);
    this.allowed = files.flatMap((file) => {
      const source = [`${file}.pub`, file].find((path) => existsSync(path));
      if (source === undefined) return [];
      const key = utils.parseKey(readFileSync(source));
      return key instanceof Error ? [] : [(Array.isArray(key) ? key[0]! : key).getPublicSSH().toString("base64")];
    });
  }

  override getIdentities(callback: Parameters<BaseAgent["getIdentities"]>[0]): void {
    this.inner.getIdentities((error, keys) => {
      const wanted = (keys ?? []).filter((key) =>
        this.allowed.includes((key as ParsedKey).getPublicSSH().toString("base64")),
      );
      callback(error ?? undefined, wanted);
    });
  }

  override sign(...args: unknown[]): void {
    (this.inner.sign as (...all: unknown[]) => void).apply(this.inner, args);
  }
}
