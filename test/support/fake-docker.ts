import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../src/hosts/host.ts";
import { LocalHost } from "../../src/hosts/local-host.ts";
import type { RunEvent } from "../../src/events.ts";
import { noSecrets } from "./no-secrets.ts";

/** A real shell in a separate folder. Its docker is a script that records its calls. */
export interface Machine {
  readonly host: LocalHost & Host;
  readonly home: string;
  readonly events: RunEvent[];
  /** The arguments of each call of docker. */
  calls(): string[];
}

/** @param docker the body of the script that is docker */
export function machine(docker = "", environment: Readonly<Record<string, string>> = {}): Machine {
  const home = mkdtempSync(join(tmpdir(), "mrsk-machine-"));
  const events: RunEvent[] = [];
  mkdirSync(join(home, "bin"));
  const log = join(home, "calls");
  writeFileSync(join(home, "bin/docker"), `#!/bin/sh\necho "$*" >>'${log}'\n${docker}\n`);
  chmodSync(join(home, "bin/docker"), 0o755);
  const path = `${join(home, "bin")}:${process.env["PATH"]}`;
  return {
    home,
    events,
    host: Object.assign(
      new LocalHost(home, { PATH: path, HOME: home, ...environment }, (event) => void events.push(event), noSecrets),
      {
        attach: () => Promise.reject(new Error("this machine has no terminal")),
        connect: () => Promise.reject(new Error("this machine has no ports")),
        reconnect: async () => {},
      },
    ),
    calls: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  };
}
