import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { Secrets } from "../../src/config/env/secrets.ts";
import { appDetails } from "../../src/flow/app/app.ts";
import { bootAccessory } from "../../src/flow/accessory.ts";
import { appExec } from "../../src/flow/app/exec.ts";
import { builderName } from "../../src/commands/builder.ts";
import { createBuilder } from "../../src/flow/build/builder.ts";
import { showConfig } from "../../src/flow/config.ts";
import { deploy } from "../../src/flow/rollout/deploy.ts";
import { MrskError } from "../../src/errors.ts";
import { type Pair, selfSigned } from "./certificates.ts";
import type { FakeHost } from "./fake-host.ts";
import { type FakeRun, fakeRun } from "./fake-run.ts";
import { tlsPort } from "./tls-server.ts";
import { aHost, container, stopped, type World } from "./world.ts";

/** The content of a deploy.yml. The keys of `REQUIRED` may be left out. */
export type Written = Readonly<Record<string, unknown>>;

const REQUIRED: Written = {
  service: "app",
  image: "acme/app",
  servers: ["10.0.0.1"],
  registry: { username: "u", password: "p" },
};

const COMMANDS = {
  deploy: (run: FakeRun) => deploy(run, { skipPush: false, revert: true }),
  "accessory boot": (run: FakeRun) => bootAccessory(run, "all"),
  "app details": appDetails,
  "app exec": (run: FakeRun) =>
    appExec(run, run.terminal, "date", { interactive: false, raw: false, reuse: false, env: new Map() }),
  "build create": createBuilder,
  config: (run: FakeRun) => showConfig(run, { json: false }),
} as const satisfies Record<string, (run: FakeRun) => Promise<unknown>>;

let pair: Pair | undefined;
/** Valid at the time of a transcript. */
const pairOfAB = () => (pair ??= selfSigned(["a.b"], { from: "19700101" }));

/** The secrets TLS_CERTIFICATE and TLS_KEY are a pair for a.b; another one is its name in words. */
function secretValue(name: string): string {
  if (name === "TLS_CERTIFICATE") return pairOfAB().certificate;
  if (name === "TLS_KEY") return pairOfAB().privateKey;
  return `value of ${name}`;
}

export interface Circumstances {
  readonly command?: keyof typeof COMMANDS;
  /** Every host is as `oldHost` describes it. */
  readonly old?: boolean;
  /** The version to deploy; 2 by default. */
  readonly version?: string;
  /** Files of the project. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * The actions of a command with this deploy.yml on fake hosts: a line for each step on each host, each message, each
 * wait, and the error at the end. Every host serves a certificate for a.b.
 */
export async function transcriptOf(written: Written, circumstances: Circumstances = {}): Promise<string> {
  const { command = "deploy", old = false, version = "2", files = {} } = circumstances;
  const cwd = mkdtempSync(join(tmpdir(), "mrsk-transcript-"));
  const lines: string[] = [];
  try {
    const all = { Dockerfile: "FROM scratch\n", ...files, "deploy.yml": stringify({ ...REQUIRED, ...written }) };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text, { mode: 0o755 });
    }
    const config = await loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment: new Map() });
    const given = { get: secretValue };
    const run = fakeRun(config, {
      cwd,
      skipHooks: false,
      requestedVersion: async () => version,
      secrets: new Secrets(given),
      variables: given,
      clock: { now: () => new Date(0), sleep: async (seconds) => void lines.push(`sleep ${seconds}`) },
      report: (event) => void ("text" in event && lines.push(event.text)),
      print: (text) => void lines.push(text),
    });
    const names = [...config.roles, ...config.accessories].flatMap(({ hosts }) => hosts);
    for (const name of new Set(names)) record((old ? oldHost(name) : aHost(name)).fake(run), lines);
    for (const host of run.hosts.values()) host.ports.set(443, tlsPort(pairOfAB));
    // A builder for another platform: the command replaces it.
    if (config.builder.remote) (run.local as FakeHost).replies(/^builder$/, `Endpoint: ${builderName(config)}-sparc`);
    record(run.local as FakeHost, lines);
    await COMMANDS[command](run);
  } catch (error) {
    if (!(error instanceof MrskError)) throw error;
    lines.push(`ERROR: ${error.message}`);
  } finally {
    rmSync(cwd, { recursive: true });
  }
  return lines.join("\n");
}

/** Appends the steps of a host to the lines of all hosts. */
function record(host: FakeHost, lines: string[]): void {
  host.transcript.push = (...commands) => lines.push(...commands.map((line) => `${host.name}> ${line}`));
}

/** Version 1 runs behind Traefik, and versions b to g are kept. */
function oldHost(name: string): World {
  const image = (version: string) => ({ id: `${name}-id-${version}`, image: `acme/app:${version}` });
  return aHost(name)
    .behindTraefik()
    .runs(container("web", "1", image("1")))
    .keeps(...["b", "c", "d", "e", "f", "g"].map((version) => stopped("web", version, image(version))));
}
