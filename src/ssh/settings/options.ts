import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Ssh } from "../../config/config.ts";
import { DEFAULTS } from "../../config/defaults.ts";
import { ConfigError } from "../../errors.ts";
import { type ClientSettings, clientSettings } from "./client-config.ts";
import { expandTilde, expandTokens, proxyTokens, refuseUnsafeNames } from "./tokens.ts";

/** A parsed host string: `[user@]host[:port]`, `[v6]:port`. */
interface Address {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

/** All settings of one connection. Paths are absolute. */
export interface ConnectOptions {
  /** As configured, for messages. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  /** Whether they are configured; otherwise they are the default names, which are tried last. */
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
  /** The host's name in known_hosts, if the client's configuration sets `HostKeyAlias`. */
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

/** The environment and home of the user, passed from `cli/`. */
export interface ClientEnvironment {
  readonly agentSocket: string | undefined;
  readonly home: string;
  /** Values of `${NAME}` in ssh_config. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Receives notices for the user about the client's configuration. */
  readonly note: (text: string) => void;
}

/** The key names that OpenSSH tries if none is configured. */
const OPENSSH_KEYS = ["id_dsa", "id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss"];

const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ed25519"];

/**
 * Precedence: host string, deploy.yml, the SSH client's configuration. As in MRSK, deploy.yml's user (default: root)
 * wins over `User` in the client's configuration.
 * @param role a `jump` host ignores the proxies of deploy.yml
 * @param readSettings reads the client's configuration
 */
export async function connectOptions(
  name: string,
  ssh: Ssh,
  client: ClientEnvironment,
  role: "target" | "jump" = "target",
  readSettings: typeof clientSettings = clientSettings,
): Promise<ConnectOptions> {
  const address = parseAddress(name);
  const fixedUser =
    address.user ??
    (role === "target" || ssh.proxy !== undefined ? (role === "target" ? ssh.user : DEFAULTS.ssh.user) : undefined);
  refuseUnsafeNames(name, address.host, fixedUser ?? "");
  const settings = await settingsFor(name, address, fixedUser, ssh, client, readSettings);
  const one = (key: string) => settings.get(key)?.[0];
  const host = one("hostname") ?? address.host;
  const user = fixedUser ?? one("user") ?? ssh.user;
  refuseUnsafeNames(name, address.host, user);
  const port = address.port ?? (role === "target" ? ssh.port : undefined) ?? Number(one("port") ?? DEFAULTS.ssh.port);
  const tokens = proxyTokens({ name: address.host, host, port: String(port), user });
  const inProxy = (what: string, text: string | undefined) =>
    text && expandTokens(text, { tokens, environment: undefined, name, what });
  const proxyInDeployYml = role === "target" && (ssh.proxy !== undefined || ssh.proxyCommand !== undefined);
  const jump = proxyInDeployYml ? ssh.proxy : inProxy("ProxyJump", given(one("proxyjump")));
  const proxyCommand = proxyInDeployYml
    ? ssh.proxy === undefined
      ? ssh.proxyCommand
      : undefined
    : given(one("proxycommand"));
  const absolute = (path: string) => expandTilde(path, client.home);
  return {
    name,
    host,
    port,
    user,
    ...identities(ssh, settings, client.home),
    certificateFiles: files(settings.get("certificatefile")).map(absolute),
    agent: agentPath(one("identityagent"), client),
    jumps: jump === undefined ? [] : jump.split(","),
    proxyCommand: inProxy("ProxyCommand", proxyCommand),
    knownHostsFiles: [
      ...(settings.get("userknownhostsfile") ?? ["~/.ssh/known_hosts"]),
      ...(settings.get("globalknownhostsfile") ?? ["/etc/ssh/ssh_known_hosts"]),
    ]
      .flatMap((paths) => files(listedPaths(paths)))
      .map(absolute),
    revokedHostKeys: files(settings.get("revokedhostkeys")).map(absolute)[0],
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

/** Whether all paths have default names: `ssh -G` prints that list if no `IdentityFile` is configured. */
function isOpenSshList(paths: readonly string[]): boolean {
  return paths.length > 3 && paths.every((path) => OPENSSH_KEYS.some((key) => path.endsWith(`/.ssh/${key}`)));
}

/** Splits OpenSSH's unquoted list of absolute paths. A path may contain blanks. */
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
  readSettings: typeof clientSettings,
): Promise<ClientSettings> {
  if (ssh.config === false) return new Map();
  const { home, environment, note } = client;
  const named = ssh.config === true ? [] : ssh.config.map((file) => resolve(expandTilde(file, home)));
  const missing = named.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new ConfigError(missing.map((path) => `ssh.config: there is no file ${path}`));
  return readSettings({
    name,
    host: address.host,
    user,
    port: address.port ?? ssh.port,
    files: named,
    home,
    environment,
    note,
  });
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value === "none" ? undefined : value;
}

/** `SSH_AUTH_SOCK` and `$NAME` name environment variables. */
function agentPath(identityAgent: string | undefined, client: ClientEnvironment): string | undefined {
  if (identityAgent === undefined || identityAgent === "SSH_AUTH_SOCK") return client.agentSocket;
  if (identityAgent.startsWith("$")) return client.environment[identityAgent.slice(1)];
  return identityAgent === "none" ? undefined : expandTilde(identityAgent, client.home);
}
