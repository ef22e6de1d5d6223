import { DEFAULTS } from "../defaults.ts";
import type { Section } from "./types.ts";

export const ORDER =
  "`start_first`, or `stop_first` for a role that must not run twice: the old container stops before the new one starts, when everything else is ready";

export const BOOT: Section = {
  name: "boot",
  meaning: "How many hosts change at a time. A failure in any group reverts every host.",
  at: ["boot"],
  keys: [
    {
      key: "limit",
      type: "number, or percentage",
      default: "all hosts",
      since: "0.12.0",
      meaning: "Hosts per group; a percentage of all app hosts is rounded down, but is at least 1",
      example: "limit: 25%",
    },
    {
      key: "wait",
      type: "seconds",
      default: `${DEFAULTS.boot.waitSeconds} with a limit`,
      since: "0.12.0",
      meaning: "Pause between two groups. In a Kamal 2 file the default is 0",
      example: "wait: 10",
    },
    {
      key: "watch",
      type: "seconds",
      default: String(DEFAULTS.boot.watchSeconds),
      since: "new",
      meaning: "Time that new containers must stay up and healthy after the switch, before the old containers stop",
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
    {
      key: "parallel_roles",
      type: "true or false",
      default: "true in effect",
      since: "Kamal 2.10",
      meaning:
        "Accepted for files of Kamal 2, with a note that it has no effect: the roles of a host always change at the same time",
      example: "parallel_roles: true",
    },
  ],
};
