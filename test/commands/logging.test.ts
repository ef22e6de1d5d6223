import { expect, test } from "vitest";
import { AccessoryCommands } from "../../src/commands/accessory.ts";
import { AppCommands } from "../../src/commands/app.ts";
import { raw } from "../../src/script/command.ts";
import { logFlags } from "../../src/commands/logging.ts";
import { runTraefik } from "../../src/commands/traefik.ts";
import { execa } from "execa";
import { accessory, config, line, role, traefikHost } from "../support/config.ts";

const FLAGS = "--log-opt max-size=10m";
const none = new Map<string, string>();
const unset = { driver: undefined, options: none, maxSize: "10m" };

const DRIVERS: readonly (readonly [driver: string | undefined, flags: string])[] = [
  ["json-file", FLAGS],
  ["local", FLAGS],
  [undefined, FLAGS],
  ...["syslog", "journald", "none", "fluentd", "gelf", "awslogs", "splunk", "gcplogs", "etwlogs", "loki"].map(
    (driver) => [driver, ""] as const,
  ),
];

test.each(DRIVERS)("an engine whose log driver is %s: %s", (driver, flags) => {
  expect(line(logFlags(unset, none, driver))).toBe(flags);
});

test.each(DRIVERS)("a script that reads %s as the engine's log driver: %s", async (driver, flags) => {
  const flag = line(logFlags(unset, none, raw("$log_driver")));
  const { stdout } = await execa("sh", ["-c", `log_driver='${driver ?? ""}'; set -- ${flag}; echo "$@"`]);
  expect(stdout).toBe(flags);
});

test("configured options are passed unchanged, whatever the engine's driver", () => {
  const configured = { driver: "journald", options: new Map([["tag", "app"]]) };
  expect(line(logFlags(configured, none, "json-file"))).toBe("--log-driver journald --log-opt tag=app");
  expect(line(logFlags({ driver: undefined, options: new Map([["max-size", "1m"]]) }, none, "syslog"))).toBe(
    "--log-opt max-size=1m",
  );
});

test("a driver in the options of a container counts for that container", () => {
  expect(line(logFlags(unset, new Map([["log-driver", "syslog"]]), "json-file"))).toBe("");
  expect(line(logFlags(unset, new Map([["log-driver", "local"]]), "syslog"))).toBe(FLAGS);
});

test("app, accessory and Traefik have no size limit on an engine that refuses it", () => {
  const app = new AppCommands(config(), role()).run({
    name: "app-web-1",
    version: "1",
    host: "192.0.2.1",
    suffix: "0123456789ab",
    labels: none,
    secrets: new Map(),
    restart: "no",
    startInterval: false,
    logDriver: "syslog",
    healthcheck: true,
  });
  const db = new AccessoryCommands(config(), accessory()).run("/root", new Map(), {
    engine: "syslog",
    host: "192.0.2.9",
  });
  const traefik = runTraefik(config(), traefikHost("/d", "syslog"), new Map());
  for (const command of [app, db, traefik]) expect(line(command)).not.toContain("--log-opt");
});
