import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { SshError } from "../../errors.ts";
import { localAccount } from "../../local-account.ts";

/** Values of the tokens of ssh_config(5) for one connection, by letter. */
export type Tokens = Readonly<Record<string, string>>;

export interface TokenValues {
  /** As given to ssh. */
  readonly name: string;
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly alias: string | undefined;
  readonly jump: string | undefined;
  readonly home: string;
}

/** The tokens of options that name files: `IdentityFile`, `CertificateFile` and others. */
export function fileTokens(values: TokenValues): Tokens {
  const local = hostname();
  const jump = values.jump?.replace(/^.*@/, "").replace(/:\d+$/, "") ?? "";
  const connection = local + values.host + values.port + values.user + jump;
  return {
    ...proxyTokens(values),
    C: createHash("sha1").update(connection).digest("hex"),
    d: values.home,
    i: String(process.getuid?.() ?? 0),
    j: jump,
    k: values.alias ?? values.name,
    L: local.replace(/\..*/, ""),
    l: local,
    u: localAccount()?.name ?? "",
  };
}

/** The tokens of `ProxyCommand` and `ProxyJump`. */
export function proxyTokens({ name, host, port, user }: Omit<TokenValues, "home" | "alias" | "jump">): Tokens {
  return { "%": "%", h: host, n: name, p: port, r: user };
}

export interface Expansion {
  readonly tokens: Tokens;
  /** Values of `${NAME}`; undefined if the option does not expand variables. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined;
  /** The host as configured, and the option, for the error. */
  readonly name: string;
  readonly what: string;
}

/** @throws SshError for a token that the option does not support, and for a variable that is not set, as in ssh */
export function expandTokens(text: string, { tokens, environment, name, what }: Expansion): string {
  return text.replaceAll(/%(.?)|\$\{([^}]*)\}/gs, (whole, letter?: string, variable?: string) => {
    if (variable !== undefined && environment === undefined) return whole;
    const value = variable === undefined ? tokens[letter ?? ""] : environment![variable];
    if (value !== undefined) return value;
    if (variable !== undefined)
      throw new SshError(name, `${what} ${text}: the environment variable ${variable} is not set`);
    const known = Object.keys(tokens).map((token) => `%${token}`);
    throw new SshError(name, `${what} ${text}: unsupported token ${whole}`, {
      hint: `It supports ${known.join(" ")}. Write %% for a percent sign.`,
    });
  });
}

/** Expands `~` and `~/…` to `home`, and `~ada/…` to the home of that account on this machine. */
export function expandTilde(path: string, home: string): string {
  return path.replace(/^~([^/]*)(?=\/|$)/, (whole, user: string) => (user === "" ? home : (homeOf(user) ?? whole)));
}

function homeOf(user: string): string | undefined {
  try {
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    return lines.map((line) => line.split(":")).find(([name]) => name === user)?.[5];
  } catch {
    return undefined;
  }
}

/** As in OpenSSH 9.6 and later: refuses names that a shell could interpret. */
export function refuseUnsafeNames(name: string, host: string, user: string): void {
  if (/^-|['"`$\\;&<>|(){}\s\p{Cc}]/u.test(host))
    throw new SshError(name, "the host name contains characters that ssh refuses");
  if (/^-|['"`;&<>|(){}\p{Cc}]|\s-|\\$/u.test(user))
    throw new SshError(name, `the user name ${user} contains characters that ssh refuses`);
}
