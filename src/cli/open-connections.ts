import { Writable } from "node:stream";
import { privateKeys } from "../config/env/key-data.ts";
import { errorFor } from "../config/load.ts";
import type { Secrets } from "../config/env/secrets.ts";
import { InterruptedError } from "../errors.ts";
import type { Run } from "../flow/run.ts";
import { homeFolder } from "../local-account.ts";
import type { Connections } from "../ssh/connections.ts";
import type { Configuration } from "./configuration.ts";

/** Opens the pool of connections. @throws ConfigError if a file or a key that deploy.yml names for ssh cannot be read */
export async function openConnections(
  { config, processEnvironment, source }: Configuration,
  secrets: Secrets,
  report: Run["report"],
): Promise<Connections> {
  const [ssh, { namedFileMistakes }] = await Promise.all([
    import("../ssh/connections.ts"),
    import("../ssh/login/named-files.ts"),
  ]);
  const home = homeFolder();
  const wrong = namedFileMistakes(config.ssh, home);
  if (wrong.length > 0) throw await errorFor(source, wrong);
  return new ssh.Connections({
    ssh: { ...config.ssh, keyData: await privateKeys(config.ssh.keyData, secrets) },
    client: { agentSocket: processEnvironment["SSH_AUTH_SOCK"], home, environment: processEnvironment },
    beginSeconds: ssh.BEGIN_SECONDS,
    ask: askPassphrase,
    confirm: process.stdin.isTTY ? (question) => prompt(question, process.stderr) : undefined,
    notify: (host, text) => report({ kind: "note", host, text }),
    log: (host, text) => report({ kind: "note", host, text: `ssh: ${text}` }),
  });
}

/** Without echo, on a terminal only. */
async function askPassphrase(keyFile: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  process.stderr.write(`Passphrase for ${keyFile}: `);
  try {
    return await prompt("", new Writable({ write: (_chunk, _encoding, done) => done() }));
  } finally {
    process.stderr.write("\n");
  }
}

async function prompt(question: string, output: NodeJS.WritableStream): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await lines.question(question);
  } catch {
    // The terminal is in raw mode, in which Ctrl-C is a key and sends no signal.
    process.kill(process.pid, "SIGINT");
    throw new InterruptedError();
  } finally {
    lines.close();
  }
}
