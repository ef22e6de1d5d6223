import type { Section } from "./types.ts";

export const LOGGING: Section = {
  name: "logging",
  meaning:
    "Docker's logs. Without driver and options, max-size 10m limits their size, if the engine's default driver accepts it\n" +
    "(json-file, local).",
  at: ["logging", "servers.*.logging"],
  keys: [
    {
      key: "driver",
      type: "text",
      default: "docker's",
      since: "0.10.0",
      meaning: "Log driver: `--log-driver`",
      example: "driver: local",
    },
    {
      key: "options",
      type: "map",
      default: "none",
      since: "0.10.0",
      meaning: "Options of the log driver: `--log-opt` for each item",
      example: "options:\n  max-size: 50m",
    },
  ],
};
