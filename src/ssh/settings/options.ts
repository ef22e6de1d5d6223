import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Ssh } from "../../config/config.ts";
import { DEFAULTS } from "../../config/defaults.ts";
import { ConfigError } from "../../errors.ts";
import { type ClientSettings, clientSettings } from "./client-config.ts";
import { expandTilde, expandTokens, proxyTokens, refuseUnsafeNames } from "./tokens.ts";

/** A host string taken apart: `[user@]host[:port]`, `[v6]:port`. */
interface Address {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

/** All that one connection is made with. Paths are absolute. */
export interface ConnectOptions {
  /** As configured, for messages. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  /** Whether somebody named them: ssh's own list is only what to try when there is nothing else. */
  readonly identitiesNamed: boolean;
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket; undefined: none. */
  readonly agent: string | undefined;
  /** Jump hosts in order, as written. */
  readonly jumps: readonly string[];
  readonly proxyCommand: string | undefined;
  readonly knownHostsFiles: readonly string[];
  readonly revokedHostKeys: string | undefined;
  readonly strictHostKeyChecking: "yes" | "ask" | "accept-new" | "no";
  readonly hashKnownHosts: boolean;
  /** What known_hosts calls it, where the client's configuration says so. */
  readonly hostKeyAlias: string | undefined;
}

function parseAddress(text: string): Address {
  const at = text.lastIndexOf("@");
  const user = at > 0 ? text.slice(0, at) : undefined;
  const rest = text.slice(at + 1);
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(rest);
  if (bracketed) return { user, host: bracketed[1]!, port: bracketed[2] ? Number(bracketed[2]) : undefined };
  const plain = /^([^:]+):(\d+)$/.exec(rest);
  return plain ? { user, host: plain[1]!, port: Number(plain[2]) } : { user, host: rest, port: undefined };
}

/** What the user's machine has to say: environment and home, handed in from the command line's layer. */
export interface ClientEnvironment {
  readonly agentSocket: string | undefined;
  readonly home: string;
  /** What `${NAME}` in ssh_config stands for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gets what a person should know about the client's configuration. */
  readonly note: (text: string) => void;
}

/** What OpenSSH tries where no key is named. */
const OPENSSH_KEYS = ["id_dsa", "id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss"];

const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ed25519"];

/**
 * Host string, then deploy.yml, then the SSH client's configuration. As in the original, the user is deploy.yml's (root) whatever the client's configuration says.
 * @param role `jump` hosts take nothing of deploy.yml's proxies
 * @param ask what reads the client's configuration
 */
export async function connectOptions(
  name: string,
  ssh: Ssh,
  client: ClientEnvironment,
  role: "target" | "jump" = "target",
  ask: typeof clientSettings = clientSettings,
): Promise<ConnectOptions> {
  const address = parseAddress(name);
  const fixedUser =
    address.user ??
    (role === "target" || ssh.proxy !== undefined ? (role === "target" ? ssh.user : DEFAULTS.ssh.user) : undefined);
  refuseUnsafeNames(name, address.host, fixedUser ?? "");
  const settings = await settingsFor(name, address, fixedUser, ssh, client, ask);
  const one = (key: string) => settings.get(key)?.[0];
  const host = one("hostname") ?? address.host;
  const user = fixedUser ?? one("user") ?? ssh.user;
  refuseUnsafeNames(name, address.host, user);
  const port = address.port ?? (role === "target" ? ssh.port : undefined) ?? Number(one("port") ?? DEFAULTS.ssh.port);
  const tokens = proxyTokens({ name: address.host, host, port: String(port), user });
  const inProxy = (what: string, text: string | undefined) =>
    text && expandTokens(text, { tokens, environment: undefined, name, what });
  const ownProxy = role === "target" && (ssh.proxy !== undefined || ssh.proxyCommand !== undefined);
  const jump = ownProxy ? ssh.proxy : inProxy("ProxyJump", given(one("proxyjump")));
  const proxyCommand = ownProxy ? (ssh.proxy === undefined ? ssh.proxyCommand : undefined) : given(one("proxycommand"));
  const untilded = (path: string) => expandTilde(path, client.home);
  return {
    name,
    host,
    port,
    user,
    ...identities(ssh, settings, client.home),
    certificateFiles: files(settings.get("certificatefile")).map(untilded),
    agent: agentPath(one("identityagent"), client),
    jumps: jump === undefined ? [] : jump.split(","),
    proxyCommand: inProxy("ProxyCommand", proxyCommand),
    knownHostsFiles: [
      ...(settings.get("userknownhostsfile") ?? ["~/.ssh/known_hosts"]),
      ...(settings.get("globalknownhostsfile") ?? ["/etc/ssh/ssh_known_hosts"]),
    ]
      .flatMap((paths) => files(listedPaths(paths)))
      .map(untilded),
    revokedHostKeys: files(settings.get("revokedhostkeys")).map(untilded)[0],
    strictHostKeyChecking: checkingOf(one("stricthostkeychecking")),
    hashKnownHosts: one("hashknownhosts") === "yes",
    hostKeyAlias: given(one("hostkeyalias")),
  };
}

function identities(ssh: Ssh, settings: ClientSettings, home: string) {
  const configured = ssh.keysOnly && ssh.keys.length > 0 ? [] : settings.get("identityfile");
  const listed = files(configured ?? DEFAULT_KEYS.map((key) => `~/.ssh/${key}`));
  const paths = [...ssh.keys, ...listed].map((path) => expandTilde(path, home));
  return {
    identityFiles: [...new Set(paths)],
    identitiesNamed: configured !== undefined && !isOpenSshList(listed),
    identitiesOnly: ssh.keysOnly || settings.get("identitiesonly")?.[0] === "yes",
  };
}

/** Of a list that somebody wrote, hardly any has all the usual names: one of them is a key that is meant. */
function isOpenSshList(paths: readonly string[]): boolean {
  return paths.length > 3 && paths.every((path) => OPENSSH_KEYS.some((key) => path.endsWith(`/.ssh/${key}`)));
}

/** Absolute paths, as OpenSSH lists them without quotes: a path with a blank is one. */
function listedPaths(text: string): string[] {
  return text.split(/ +(?=[/~]|none$)/);
}

function files(paths: readonly string[] | undefined): string[] {
  return (paths ?? []).filter((path) => path !== "" && path !== "none");
}

function checkingOf(word: string | undefined): ConnectOptions["strictHostKeyChecking"] {
  if (word === "yes" || word === "true") return "yes";
  if (word === "no" || word === "off" || word === "false") return "no";
  return word === "ask" ? "ask" : "accept-new";
}

async function settingsFor(
  name: string,
  address: Address,
  user: string | undefined,
  ssh: Ssh,
  client: ClientEnvironment,
  ask: typeof clientSettings,
): Promise<ClientSettings> {
  if (ssh.config === false) return new Map();
  const { home, environment, note } = client;
  const named = ssh.config === true ? [] : ssh.config.map((file) => resolve(expandTilde(file, home)));
  const missing = named.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new ConfigError(missing.map((path) => `ssh.config: there is no file ${path}`));
  return ask({ name, host: address.host, user, port: address.port ?? ssh.port, files: named, home, environment, note });
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value === "none" ? undefined : value;
}

/** `SSH_AUTH_SOCK` and `$NAME` are names of variables. */
function agentPath(identityAgent: string | undefined, client: ClientEnvironment): string | undefined {
  if (identityAgent === undefined || identityAgent === "SSH_AUTH_SOCK") return client.agentSocket;
  if (identityAgent.startsWith("$")) return client.environment[identityAgent.slice(1)];
  return identityAgent === "none" ? undefined : expandTilde(identityAgent, client.home);
}
