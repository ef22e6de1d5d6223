import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Ssh } from "../config/config.ts";
import { ConfigError } from "../errors.ts";
import { type ClientSettings, clientSettings } from "./client-config.ts";

/** A host string taken apart: `[user@]host[:port]`, `[v6]:port`. */
export interface Address {
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
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket; undefined: none. */
  readonly agent: string | undefined;
  /** Jump hosts in order, as written. */
  readonly jumps: readonly string[];
  readonly proxyCommand: string | undefined;
  readonly knownHostsFiles: readonly string[];
  readonly strictHostKeyChecking: "yes" | "accept-new" | "no";
  readonly hashKnownHosts: boolean;
  /** What known_hosts calls it, where the client's configuration says so. */
  readonly hostKeyAlias: string | undefined;
}

export function parseAddress(text: string): Address {
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
}

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
    (role === "target" || ssh.proxy !== undefined ? (role === "target" ? ssh.user : "root") : undefined);
  const settings = await settingsFor(name, address, fixedUser, ssh, client.home, ask);
  const one = (key: string) => settings.get(key)?.[0];
  const ownProxy = role === "target" && (ssh.proxy !== undefined || ssh.proxyCommand !== undefined);
  const jump = ownProxy ? ssh.proxy : given(one("proxyjump"));
  const proxyCommand = ownProxy ? (ssh.proxy === undefined ? ssh.proxyCommand : undefined) : given(one("proxycommand"));
  const checking = one("stricthostkeychecking");
  const identityAgent = one("identityagent");
  const clientKeys =
    ssh.keysOnly && ssh.keys.length > 0
      ? []
      : (settings.get("identityfile") ?? DEFAULT_KEYS.map((key) => `~/.ssh/${key}`));
  return {
    name,
    host: one("hostname") ?? address.host,
    port: address.port ?? (role === "target" ? ssh.port : undefined) ?? Number(one("port") ?? 22),
    user: fixedUser ?? one("user") ?? ssh.user,
    identityFiles: [...new Set([...ssh.keys, ...clientKeys].map((path) => untilded(path, client.home)))],
    identitiesOnly: ssh.keysOnly || one("identitiesonly") === "yes",
    agent: agentPath(identityAgent, client),
    jumps: jump === undefined ? [] : jump.split(","),
    proxyCommand,
    knownHostsFiles: [
      ...(settings.get("userknownhostsfile") ?? ["~/.ssh/known_hosts"]),
      ...(settings.get("globalknownhostsfile") ?? ["/etc/ssh/ssh_known_hosts"]),
    ]
      .flatMap((paths) => paths.split(" "))
      .filter((path) => path !== "" && path !== "none")
      .map((path) => untilded(path, client.home)),
    strictHostKeyChecking:
      checking === "yes" || checking === "true"
        ? "yes"
        : checking === "no" || checking === "off" || checking === "false"
          ? "no"
          : "accept-new",
    hashKnownHosts: one("hashknownhosts") === "yes",
    hostKeyAlias: given(one("hostkeyalias")),
  };
}

async function settingsFor(
  name: string,
  address: Address,
  user: string | undefined,
  ssh: Ssh,
  home: string,
  ask: typeof clientSettings,
): Promise<ClientSettings> {
  if (ssh.config === false) return new Map();
  const files = ssh.config === true ? [] : ssh.config.map((file) => resolve(untilded(file, home)));
  const missing = files.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new ConfigError(missing.map((path) => `ssh.config: there is no file ${path}`));
  return ask({ name, host: address.host, user, port: address.port ?? ssh.port, files, home });
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value === "none" ? undefined : value;
}

function agentPath(identityAgent: string | undefined, client: ClientEnvironment): string | undefined {
  if (identityAgent === undefined || identityAgent === "SSH_AUTH_SOCK") return client.agentSocket;
  return identityAgent === "none" ? undefined : untilded(identityAgent, client.home);
}

function untilded(path: string, home: string): string {
  return path.replace(/^~(?=\/|$)/, home || homedir()).replace(/^%d(?=\/)/, home);
}
