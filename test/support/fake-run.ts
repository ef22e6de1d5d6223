import { Readable } from "node:stream";
import type { Config } from "../../src/config/config.ts";
import { Secrets } from "../../src/config/env/secrets.ts";
import type { Run } from "../../src/flow/run.ts";
import type { Terminal } from "../../src/flow/terminal.ts";
import { select } from "../../src/plan/select.ts";
import type { RunEvent } from "../../src/events.ts";
import { FakeHost } from "./fake-host.ts";

export interface FakeRun extends Run {
  readonly terminal: Terminal;
  readonly hosts: ReadonlyMap<string, FakeHost>;
  readonly events: RunEvent[];
  readonly printed: string[];
  /** The steps on all hosts in their order, each as `host: step`. */
  readonly transcript: string[];
  readonly abort: () => void;
}

/** A run on fake hosts, with a stopped clock. */
export function fakeRun(config: Config, overrides: Partial<Run> & { terminal?: Partial<Terminal> } = {}): FakeRun {
  const hosts = new Map<string, FakeHost>();
  const transcript: string[] = [];
  const host = (name: string) => {
    if (!hosts.has(name)) hosts.set(name, new FakeHost(name, transcript));
    return hosts.get(name)!;
  };
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const printed: string[] = [];
  const filters = { hosts: undefined, roles: undefined, primary: false };
  return {
    config,
    secrets: new Secrets(new Map()),
    filters,
    selection: select(config, filters),
    clock: { now: () => new Date("2026-01-02T03:04:05Z"), sleep: async () => {} },
    signal: controller.signal,
    report: (event) => void events.push(event),
    print: (text) => void printed.push(text),
    confirm: async () => true,
    local: host("localhost"),
    host,
    newId: (digits) => "0".repeat(digits),
    requestedVersion: async () => "1",
    git: async () => ({ revision: undefined, changes: [], userName: "Some Body" }),
    givenVersion: undefined,
    performer: async () => "somebody",
    command: ["deploy"],
    skipHooks: true,
    variables: new Map(),
    cwd: "/nowhere",
    held: { lock: false, taking: false },
    mask: (text) => text,
    hosts,
    events,
    printed,
    transcript,
    abort: () => controller.abort(),
    ...overrides,
    terminal: {
      write: (_stream, bytes) => void printed.push(Buffer.from(bytes as Uint8Array).toString()),
      prefix: (name) => `${name} | `,
      stdin: { kind: "nothing", open: () => Readable.from([]) },
      ...overrides.terminal,
    },
  };
}
