import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { Secrets } from "../../src/config/env/secrets.ts";
import { bootAccessory, removeAccessory } from "../../src/flow/accessory.ts";
import { appImages } from "../../src/flow/app/app.ts";
import { appExec } from "../../src/flow/app/exec.ts";
import { performHealthcheck } from "../../src/flow/app/healthcheck.ts";
import { removeAppImages } from "../../src/flow/app/removal.ts";
import { stopApp } from "../../src/flow/app/start-stop.ts";
import { pull, pushImage } from "../../src/flow/build/build.ts";
import { builderDetails, createBuilder, removeBuilder } from "../../src/flow/build/builder.ts";
import { pruneAll } from "../../src/flow/prune.ts";
import { login, logout } from "../../src/flow/registry.ts";
import { deploy } from "../../src/flow/rollout/deploy.ts";
import { bootTraefik } from "../../src/flow/traefik/traefik.ts";
import { ShellLibrary } from "../../src/script/library.ts";
import { needsOfScript, type Script } from "../../src/script/script.ts";
import type { FakeHost } from "../support/fake-host.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost, containerOfMrsk } from "../support/world.ts";

const FILES = join(import.meta.dirname, "../fixtures/examples/files");
const SECRETS_OF_BUILDS = ["NPM_TOKEN", "GITHUB_TOKEN"].map((name) => [name, name.toLowerCase()] as const);
const EXEC = { interactive: false, raw: false, reuse: false, env: new Map<string, string>() };

/** The commands of this program that send what MRSK's commands of the same name sent. */
const COMMANDS: Readonly<Record<string, (run: FakeRun) => Promise<unknown>>> = {
  deploy: (run) => deploy(run, { skipPush: false }),
  "app stop": stopApp,
  "app exec bin/console": (run) => appExec(run, run.terminal, "bin/console", EXEC),
  "app exec -i bash": (run) => appExec(run, run.terminal, "bash", { ...EXEC, interactive: true }),
  "app images": appImages,
  "app remove-images": removeAppImages,
  "accessory boot all": (run) => bootAccessory(run, "all"),
  "accessory remove all": async (run) => {
    for (const { name } of run.config.accessories) await removeAccessory(run, name, { confirmed: true });
  },
  "build push": pushImage,
  "build pull": pull,
  "build create": createBuilder,
  "build remove": removeBuilder,
  "build details": builderDetails,
  "healthcheck perform": performHealthcheck,
  "prune all": (run) => pruneAll(run, undefined),
  "registry login": login,
  "registry logout": logout,
  "traefik boot": bootTraefik,
};

/** The text of one step that was sent to a host, or the functions that its scripts call; secrets as names in angle brackets. */
export interface Sent {
  readonly host: string;
  readonly text: string;
}

/**
 * Runs a command against hosts that record their scripts. On every host, version `old1` of every role runs; with
 * `traefik boot` and `accessory boot`, nothing runs.
 */
export async function sentBy(
  command: string,
  config: Config,
  { version, environment }: { version: string; environment: ReadonlyMap<string, string> },
): Promise<Sent[]> {
  const cwd = mkdtempSync(join(tmpdir(), "mrsk-golden-"));
  try {
    const run = recordingRun(config, version, new Map([...SECRETS_OF_BUILDS, ...environment]), cwd);
    answer(run, command);
    await COMMANDS[command]!(run);
    return [...run.hosts].flatMap(([host, { texts, scripts }]) =>
      [...texts, functionsOf(scripts)].map((text) => ({ host, text })),
    );
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** The functions of `src/shell` that the scripts call. */
function functionsOf(scripts: readonly Script[]): string {
  const library = new ShellLibrary();
  return scripts.map((script) => library.missing(needsOfScript(script))).join("");
}

function recordingRun(config: Config, version: string, environment: ReadonlyMap<string, string>, cwd: string): FakeRun {
  writeFileSync(join(cwd, "Dockerfile"), "FROM scratch\n");
  cpSync(FILES, join(cwd, "files"), { recursive: true });
  return fakeRun(config, {
    cwd,
    requestedVersion: async () => version,
    secrets: new Secrets(environment),
    variables: environment,
    newId: (digits) => "0123456789abcdef".slice(0, digits),
    terminal: { stdin: { kind: "terminal", open: () => process.stdin } },
  });
}

function answer(run: FakeRun, command: string): void {
  if (command === "build create") (run.local as FakeHost).fails(/^builder$/, 'ERROR: no builder "x" found');
  const nothingRuns = command === "traefik boot" || command === "accessory boot all";
  const hosts = new Set([...run.config.roles, ...run.config.accessories].flatMap((part) => part.hosts));
  for (const name of hosts) {
    const roles = run.config.roles.filter((role) => role.hosts.includes(name));
    const { service, destination } = run.config;
    const containers = roles.map((role) => containerOfMrsk(role.name, "old1", { service, destination }));
    const world = nothingRuns
      ? aHost(name)
      : aHost(name)
          .behindTraefik()
          .runs(...containers);
    const host = world.fake(run);
    host.replies(/^State$/, command === "accessory remove all" ? "running" : "");
  }
}
