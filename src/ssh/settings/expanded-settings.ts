import { DEFAULTS } from "../../config/defaults.ts";
import type { SettingsQuery, ClientSettings } from "./openssh.ts";
import { expandTilde, expandTokens, fileTokens, type Tokens } from "./tokens.ts";

/** Files whose tokens and variables `ssh -G` does not expand. */
export const UNEXPANDED: Readonly<Record<string, string>> = {
  identityfile: "IdentityFile",
  certificatefile: "CertificateFile",
  revokedhostkeys: "RevokedHostKeys",
};

/** Files whose tokens and variables it does expand. */
export const EXPANDED_BY_OPENSSH = { userknownhostsfile: "UserKnownHostsFile", identityagent: "IdentityAgent" };

/** The settings with the values of `keys` expanded. @throws SshError */
export function expanded(
  { name, home, environment }: SettingsQuery,
  settings: ClientSettings,
  tokens: Tokens,
  keys: Readonly<Record<string, string>>,
): ClientSettings {
  const one = (value: string, what: string) =>
    expandTokens(expandTilde(value, home), { tokens, environment, name, what });
  const changed = Object.entries(keys).flatMap(([key, what]) => {
    const values = settings.get(key);
    return values ? [[key, values.map((value) => one(value, what))] as const] : [];
  });
  return new Map([...settings, ...changed]);
}

export function tokensOf({ host, user, port, home }: SettingsQuery, settings: ClientSettings): Tokens {
  const one = (key: string) => settings.get(key)?.[0];
  return fileTokens({
    name: host,
    host: one("hostname") ?? host,
    port: String(port ?? one("port") ?? DEFAULTS.ssh.port),
    user: user ?? one("user") ?? "",
    alias: one("hostkeyalias"),
    jump: one("proxyjump"),
    home,
  });
}
