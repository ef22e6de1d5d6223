import { vi } from "vitest";
import type { RunEvent } from "../../src/events.ts";
import { redact } from "../../src/script/command.ts";
import type { Host } from "../../src/hosts/host.ts";
import { mrsk, project, type Output } from "../support/cli.ts";
import { FakeHost } from "../support/fake-host.ts";
import { aHost, container, stopped } from "../support/world.ts";

// Runs command lines against hosts that record their scripts. Import it before the modules that it mocks.

const hosts = vi.hoisted(() => new Map<string, unknown>());

function recording(name: string): FakeHost {
  return hosts.get(name) as FakeHost;
}

/** A host that reports its steps, like a real one. */
function announcing(host: FakeHost, events: (event: RunEvent) => void): Host {
  const run: Host["run"] = (script, options) => {
    for (const { name: step, body } of script.steps) {
      events({ kind: "step-start", host: host.name, script: script.title, step, command: redact(body) });
    }
    return host.run(script, options);
  };
  return Object.assign(Object.create(host) as FakeHost, { run });
}

vi.mock("../../src/hosts/remote-host.ts", () => ({
  RemoteHost: function RemoteHost(name: string, _sessions: unknown, events: (event: RunEvent) => void) {
    return announcing(hosts.get(name) as FakeHost, events);
  },
}));
vi.mock("../../src/hosts/local-host.ts", () => ({
  LocalHost: function LocalHost() {
    return hosts.get("local");
  },
}));

// Every question is answered with no, and printed.
vi.mock("../../src/cli/confirm.ts", () => ({
  confirm: async (question: string) => {
    process.stderr.write(`${question} no\n`);
    return false;
  },
}));

const DEPLOY_YML = `service: app
image: dhh/app
servers:
  web: [192.0.2.1, 192.0.2.2]
  jobs: { hosts: [192.0.2.2], cmd: bin/jobs }
registry: { username: u, password: pw }
builder: { context: . }
boot: { watch: 0 }
readiness_delay: 0
accessories:
  db: { image: "postgres:16", host: 192.0.2.3, directories: ["data:/data"], files: ["my.cnf:/etc/my.cnf"] }
`;

/** Version 1 is live and version 0 is kept, behind Traefik; the accessory runs too. */
function world(): void {
  hosts.clear();
  for (const name of ["192.0.2.1", "192.0.2.2", "192.0.2.3", "local"]) hosts.set(name, new FakeHost(name));
  const run = { host: recording };
  const web = (name: string) =>
    aHost(name).behindTraefik().runs(container("web", 1)).keeps(stopped("web", 0)).released("0", "1");
  web("192.0.2.1").runs(container("web", "stale")).fake(run);
  web("192.0.2.2").runs(container("jobs", 1)).keeps(stopped("jobs", 0)).fake(run);
  aHost("192.0.2.3")
    .fake(run)
    .replies(/^State$/, "running");
  recording("local").replies(/^Revision$/, "0123456789abcdef0123456789abcdef01234567");
}

/** The effects of a command line. */
export interface Did extends Output {
  /** One entry for each line of each step: `1> docker stop …`, with the last digits of the host, or `local`. */
  readonly sent: readonly string[];
}

/** Runs a command line in a new project. */
export async function typed(line: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Did> {
  world();
  const folder = project({ "config/deploy.yml": DEPLOY_YML, Dockerfile: "FROM scratch\n", "my.cnf": "", ...files });
  const said = await mrsk(folder, ...line);
  const sent = [...hosts.keys()].flatMap((name) => {
    const lines = recording(name).texts.flatMap((text) => text.split("\n"));
    return lines.map((text) => `${name.replace("192.0.2.", "")}> ${text.trim()}`);
  });
  return { ...said, sent };
}
