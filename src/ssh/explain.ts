import { SshError } from "../errors.ts";
import type { Login } from "./login/login.ts";
import type { ConnectOptions } from "./settings/options.ts";

/** The server accepted none of the keys. */
export class LoginRefusedError extends SshError {}

/** Turns an error of ssh2 or of the system into a message with a hint. */
export function explain(options: ConnectOptions, error: unknown, { tried, accepted, refusesKeys }: Login): SshError {
  if (error instanceof SshError) return error;
  const { code, level, message } = error as { code?: string; level?: string; message?: string };
  const at = `${options.host}:${options.port}`;
  const fail = (what: string, hint?: string) => new SshError(options.name, what, { hint, cause: error });
  const tooMany = /too many authentication failures/i.test(message ?? "");
  if (level === "client-authentication" && refusesKeys) {
    const more = tried.length > 0 ? "" : ", and there was no key to try";
    return fail(
      `the server at ${at} requires ${accepted.join(" or ")} for ${options.user}, which mrsk does not support${more}`,
      "Allow public keys there (PubkeyAuthentication and AuthenticationMethods in sshd_config): a deploy cannot enter a password.",
    );
  }
  if (level === "client-authentication" || tooMany) {
    const keys = tried.length > 0 ? `Tried ${tried.join(", ")}.` : noKey(options);
    const end = tooMany ? ` Then the server reported: ${message}.` : "";
    return new LoginRefusedError(
      options.name,
      `the server at ${at} accepted no public key for ${options.user}. ${keys}${end}`,
      {
        hint: `Add your public key to ~${options.user}/.ssh/authorized_keys there, or set the key with ssh.keys, or the login user with ssh.user.`,
        cause: error,
      },
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return fail(`cannot resolve the host name ${options.host}`, "Check its spelling in deploy.yml, and your DNS.");
  if (code === "ECONNREFUSED")
    return fail(`connection refused at ${at}`, "Check that sshd listens on that port. ssh.port sets another port.");
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH")
    return fail(`no route to ${at}`, "Check the network between here and there.");
  if (code === "ETIMEDOUT" || level === "client-timeout" || /timed out/i.test(message ?? "")) {
    return fail(`connection to ${at} timed out`, "Check that the server is up, and that no firewall blocks that port.");
  }
  if (level === "handshake") return fail(`SSH handshake with ${at} failed: ${message}`);
  return fail(`connection to ${at} failed: ${message ?? String(error)}`);
}

function noKey({ identityFiles, agent }: ConnectOptions): string {
  const files = identityFiles.length > 0 ? ` (${identityFiles.join(", ")})` : "";
  const held = agent === undefined ? "no agent" : `no key in the agent at ${agent}`;
  return `There was no key file to try${files}, and ${held}.`;
}
