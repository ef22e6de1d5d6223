import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../src/hosts/host.ts";
import { LocalHost } from "../../src/hosts/local-host.ts";
import type { RunEvent } from "../../src/output/events.ts";
import { noSecrets } from "./no-secrets.ts";

/** A real shell in a folder of its own, whose docker is a script that keeps what it was asked. */
export interface Machine {
  readonly host: LocalHost & Host;
  readonly home: string;
  readonly events: RunEvent[];
  /** The argument lists docker had, one per call. */
  asked(): string[];
}

/** @param docker the body of the script, which sees its arguments; what it does not know succeeds */
export function machine(docker = "", environment: Readonly<Record<string, string>> = {}): Machine {
  const home = mkdtempSync(join(tmpdir(), "mrsk-machine-"));
  const events: RunEvent[] = [];
  mkdirSync(join(home, "bin"));
  const log = join(home, "asked");
  writeFileSync(join(home, "bin/docker"), `#!/bin/sh\necho "$*" >>'${log}'\n${docker}\n`);
  chmodSync(join(home, "bin/docker"), 0o755);
  const path = `${join(home, "bin")}:${process.env["PATH"]}`;
  return {
    home,
    events,
    host: Object.assign(
      new LocalHost(home, { PATH: path, HOME: home, ...environment }, (event) => void events.push(event), noSecrets),
      { attach: () => Promise.reject(new Error("nobody enters this machine")), reconnect: async () => {} },
    ),
    asked: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  };
}
