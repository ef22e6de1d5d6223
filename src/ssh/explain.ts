import { SshError } from "../errors.ts";
import type { Login } from "./login/login.ts";
import type { ConnectOptions } from "./settings/options.ts";

/** The server took none of the keys. */
export class LoginRefusedError extends SshError {}

/** What ssh2 or the system said, in words a person can act on. */
export function explain(options: ConnectOptions, error: unknown, { tried, wanted, refusesKeys }: Login): SshError {
  if (error instanceof SshError) return error;
  const { code, level, message } = error as { code?: string; level?: string; message?: string };
  const at = `${options.host}:${options.port}`;
  const fail = (what: string, hint?: string) => new SshError(options.name, what, { hint, cause: error });
  const tooMany = /too many authentication failures/i.test(message ?? "");
  if (level === "client-authentication" && refusesKeys) {
    const more = tried.length > 0 ? "" : ", and no key was to be tried";
    return fail(
      `the server at ${at} wants ${wanted.join(" or ")} from ${options.user}, which mrsk does not give${more}`,
      "Allow keys there (PubkeyAuthentication and AuthenticationMethods in sshd_config): nothing can type a password in a deploy.",
    );
  }
  if (level === "client-authentication" || tooMany) {
    const keys = tried.length > 0 ? `Tried ${tried.join(", ")}.` : noKey(options);
    const end = tooMany ? ` After that the server said: ${message}.` : "";
    return new LoginRefusedError(
      options.name,
      `the server at ${at} does not let ${options.user} in with a public key. ${keys}${end}`,
      {
        hint: `Put your public key into ~${options.user}/.ssh/authorized_keys there, name the key with ssh.keys, or the login user with ssh.user.`,
        cause: error,
      },
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return fail(`there is no host of the name ${options.host}`, "Check its spelling in deploy.yml, and your DNS.");
  if (code === "ECONNREFUSED")
    return fail(`connection refused at ${at}`, "Is sshd running there, on that port? Another port is set by ssh.port.");
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH")
    return fail(`no route to ${at}`, "Check the network between here and there.");
  if (code === "ETIMEDOUT" || level === "client-timeout" || /timed out/i.test(message ?? "")) {
    return fail(`no answer from ${at} in time`, "Is the server up, and does a firewall let you reach that port?");
  }
  if (level === "handshake") return fail(`no agreement with the SSH server at ${at}: ${message}`);
  return fail(`connection to ${at} failed: ${message ?? String(error)}`);
}

function noKey({ identityFiles, agent }: ConnectOptions): string {
  const files = identityFiles.length > 0 ? ` (${identityFiles.join(", ")})` : "";
  const held = agent === undefined ? "no agent" : `none of the agent at ${agent}`;
  return `There was no key to try${files}, and ${held}.`;
}
