import { DEFAULTS } from "../defaults.ts";
import type { Section } from "./types.ts";

export const ORDER =
  "`start_first`, or `stop_first`: the old container ends before the new one starts, when everything else is ready, for what must not run twice";

export const LOGGING: Section = {
  name: "logging",
  meaning:
    "Docker's logs. With neither driver nor options, max-size 10m keeps them from filling the disk, where the engine's default driver takes it (json-file, local).",
  at: ["logging", "servers.*.logging"],
  keys: [
    {
      key: "driver",
      type: "text",
      default: "docker's",
      since: "0.10.0",
      meaning: "`--log-driver`",
      example: "driver: local",
    },
    {
      key: "options",
      type: "map",
      default: "none",
      since: "0.10.0",
      meaning: "`--log-opt` each",
      example: "options:\n  max-size: 50m",
    },
  ],
};

export const BOOT: Section = {
  name: "boot",
  meaning: "How many hosts change at a time. Whatever fails, also in a later group, sends every host back.",
  at: ["boot"],
  keys: [
    {
      key: "limit",
      type: "number, or percentage",
      default: "all hosts",
      since: "0.12.0",
      meaning: "Hosts per group; a percentage of all app hosts is rounded down, but at least 1",
      example: "limit: 25%",
    },
    {
      key: "wait",
      type: "seconds",
      default: `${DEFAULTS.boot.waitSeconds} with a limit`,
      since: "0.12.0",
      meaning: "Pause between two groups",
      example: "wait: 10",
    },
    {
      key: "watch",
      type: "seconds",
      default: String(DEFAULTS.boot.watchSeconds),
      since: "new",
      meaning: "How long new containers must stay up and healthy after the switch, before the old ones stop",
      example: "watch: 30",
    },
    {
      key: "order",
      type: "word",
      default: DEFAULTS.boot.order,
      since: "new",
      meaning: ORDER,
      example: "order: start_first",
    },
  ],
};
