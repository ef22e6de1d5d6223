import { execFile, execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Ssh } from "../../src/config/config.ts";
import { Connections } from "../../src/ssh/connections.ts";
import { ssh as sshOf } from "./config.ts";
import type { Sshd } from "./sshd.ts";

/** A login. In lines, `KEYS` is replaced by the folder of the keys, and `KNOWN` by the client's known_hosts. */
export interface Attempt {
  /** Lines of ssh_config. The first value of a keyword counts. */
  readonly config: readonly string[];
  readonly host?: string;
  readonly user?: string;
  /** The socket of an agent. */
  readonly agent?: string | undefined;
  /** The lines of known_hosts before the login. */
  readonly known?: readonly string[];
  /** Settings of deploy.yml, for mrsk alone. */
  readonly ssh?: Partial<Ssh>;
  /** Answers to the prompts of mrsk. */
  readonly answers?: readonly string[];
}

export interface Outcome {
  readonly in: boolean;
  /** The name in `names` of the key that sshd logged, or the method. */
  readonly by: string | undefined;
  /** The lines that the client added to known_hosts. */
  readonly recorded: readonly string[];
  /** The output of the client. */
  readonly said: string;
}

/** The outcome of a login with OpenSSH and with mrsk, at the same sshd. */
export async function both(sshd: Sshd, attempt: Attempt, names: ReadonlyMap<string, string>) {
  return {
    ssh: await outcomeOf(sshd, attempt, names, viaOpenSsh),
    mrsk: await outcomeOf(sshd, attempt, names, viaMrsk),
  };
}

type Client = (sshd: Sshd, attempt: Attempt, config: string) => Promise<{ in: boolean; said: string }>;

export async function outcomeOf(
  sshd: Sshd,
  attempt: Attempt,
  names: ReadonlyMap<string, string>,
  client: Client,
): Promise<Outcome> {
  const folder = mkdtempSync(join(sshd.folder, "client-"));
  const [config, known] = [join(folder, "config"), join(folder, "known")];
  const filled = (line: string) => line.replaceAll("KEYS", sshd.folder).replaceAll("KNOWN", known);
  const before = (attempt.known ?? []).map(filled);
  if (before.length > 0) writeFileSync(known, `${before.join("\n")}\n`);
  const last = [
    "KexAlgorithms curve25519-sha256", // the default takes twice as long
    "StrictHostKeyChecking accept-new",
    "UserKnownHostsFile KNOWN",
    "GlobalKnownHostsFile none",
    "HostName 127.0.0.1",
  ];
  writeFileSync(config, `${["Host *", ...attempt.config, ...last].map(filled).join("\n")}\n`);
  const logged = existsSync(sshd.log) ? readFileSync(sshd.log, "utf8").length : 0;
  const result = await client(sshd, attempt, config);
  const accepted = /^Accepted (\S+) for .*?ssh2(?:: \S+ (SHA256:\S+).*)?$/m.exec(
    readFileSync(sshd.log, "utf8").slice(logged).replaceAll("\r", ""),
  );
  const after = existsSync(known) ? readFileSync(known, "utf8").trim().split("\n").slice(before.length) : [];
  return {
    ...result,
    by: accepted ? (accepted[2] ? (names.get(accepted[2]) ?? accepted[2]) : accepted[1]) : undefined,
    recorded: after.map((line) => line.replaceAll(String(sshd.port), "PORT").split(" ").slice(0, 2).join(" ")),
  };
}

export const viaOpenSsh: Client = async (sshd, { host = "box", user, agent }, config) => {
  const words = ["-F", config, "-o", "BatchMode=yes", "-p", String(sshd.port), "-l", user ?? userInfo().username];
  const env = { ...process.env };
  delete env["SSH_AUTH_SOCK"];
  if (agent !== undefined) env["SSH_AUTH_SOCK"] = agent;
  try {
    const { stderr } = await promisify(execFile)("ssh", [...words, "--", host, "true"], { env });
    return { in: true, said: stderr };
  } catch (error) {
    return { in: false, said: (error as { stderr: string }).stderr };
  }
};

export const viaMrsk: Client = async (sshd, { host = "box", user, agent, ssh = {}, answers = [] }, config) => {
  const said: string[] = [];
  const left = [...answers];
  const pool = new Connections({
    ssh: sshOf({
      user: user ?? userInfo().username,
      port: sshd.port,
      config: [config],
      connectTimeoutSeconds: 10,
      ...ssh,
    }),
    client: { agentSocket: agent, home: homedir(), environment: process.env },
    beginSeconds: 30,
    ask: async () => left.shift(),
    confirm:
      answers.length === 0
        ? undefined
        : async (question) => {
            said.push(question);
            return left.shift() ?? "";
          },
    notify: (_, text) => void said.push(text),
    log: () => {},
  });
  try {
    await pool.session(host);
    return { in: true, said: said.join("\n") };
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    return { in: false, said: [...said, message, hint ?? ""].join("\n") };
  } finally {
    await pool.close();
  }
};

/** Starts an agent with these keys, in this order. */
export async function startAgent(folder: string, keys: readonly string[], passphrase = "") {
  const socket = join(mkdtempSync(join(folder, "agent-")), "socket");
  const daemon = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  for (let tries = 0; !existsSync(socket) && tries < 100; tries++) await new Promise((wait) => setTimeout(wait, 20));
  const askpass = join(folder, "askpass");
  writeFileSync(askpass, `#!/bin/sh\necho '${passphrase}'\n`, { mode: 0o700 });
  const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
  for (const key of keys) execFileSync("ssh-add", ["-q", key], { env, stdio: ["ignore", "ignore", "pipe"] });
  return { socket, stop: () => void daemon.kill() };
}

/** `SHA256:…` as ssh-keygen and sshd print it. */
export function fingerprint(file: string): string {
  return execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" }).split(" ")[1]!;
}

/** Signs `FILE.pub`. @returns the path of the certificate, `FILE-cert.pub` */
export function sign(authority: string, file: string, ...options: readonly string[]): string {
  execFileSync("ssh-keygen", ["-q", "-s", authority, "-I", "test", ...options, `${file}.pub`], { stdio: "pipe" });
  return `${file}-cert.pub`;
}

export function authorize(sshd: Sshd, key: string): void {
  appendFileSync(join(sshd.folder, "authorized_keys"), readFileSync(`${key}.pub`));
}
