import { DEFAULTS } from "../defaults.ts";
import { ORDER } from "./boot.ts";
import type { Section } from "./types.ts";

export const SERVERS: Section = {
  name: "servers",
  meaning:
    "A list of hosts is the role web. A map has roles: each a list of hosts, or a map with the keys below.\n" +
    "A host is HOST, USER@HOST, HOST:PORT or [V6]:PORT, with tags after a colon: `- 192.0.2.10: [eu, first]`.",
  at: ["servers.*"],
  keys: [
    {
      key: "hosts",
      type: "list of hosts, or one",
      default: "required",
      since: "0.0.2",
      meaning: "Where the role runs",
      example: "hosts:\n  - 192.0.2.10\n  - 192.0.2.11: eu",
    },
    {
      key: "cmd",
      type: "command",
      default: "the image's",
      since: "0.0.2",
      meaning: "What the containers run, split into words as a shell would, without a shell",
      example: "cmd: node worker.js",
    },
    {
      key: "env",
      type: "map",
      default: "none",
      since: "0.2.0",
      meaning: "Variables over the global ones, merged by key",
      example: "env:\n  clear:\n    QUEUE: mail",
    },
    {
      key: "labels",
      type: "map",
      default: "none",
      since: "0.0.3",
      meaning: "Labels over the global ones and Traefik's defaults",
      example: "labels:\n  traefik.http.routers.my-app-web.rule: Host(`example.com`)",
    },
    {
      key: "options",
      type: "map",
      default: "none",
      since: "0.9.0",
      meaning: "Flags of `docker run`: true is a bare flag, a list repeats it",
      example: "options:\n  memory: 512m\n  init: true",
    },
    {
      key: "traefik",
      type: "true or false",
      default: "true for the primary role",
      since: "0.2.0",
      meaning: "Whether Traefik routes requests to the role",
      example: "traefik: true",
    },
    {
      key: "healthcheck",
      type: "map",
      default: "the global one behind Traefik, else none",
      since: "0.12.0",
      meaning: "Over the global one, merged by key, for a role behind Traefik; another role has its own alone",
      example: "healthcheck:\n  cmd: bin/alive",
    },
    {
      key: "logging",
      type: "map",
      default: "the global one",
      since: "Kamal 1.4",
      meaning: "Over the global one, merged",
      example: "logging:\n  driver: local",
    },
    {
      key: "asset_path",
      type: "absolute path in the container",
      default: "the global one",
      since: "Kamal 1.0",
      meaning: "As the global key, for this role",
      example: "asset_path: /app/public/assets",
    },
    {
      key: "boot",
      type: "map",
      default: "the global one",
      since: "new",
      meaning: "Only `order` may stand here",
      example: "boot:\n  order: stop_first",
    },
    {
      key: "boot.order",
      type: "word",
      default: DEFAULTS.boot.order,
      since: "new",
      meaning: ORDER,
      example: "boot:\n  order: stop_first",
    },
  ],
};

export const REGISTRY: Section = {
  name: "registry",
  meaning: "Credentials are a text, or a list with the name of one variable. Write passwords as names only.",
  at: ["registry"],
  keys: [
    {
      key: "server",
      type: "host",
      default: "Docker Hub",
      since: "0.0.1",
      meaning: "Name of the registry, without https://",
      example: "server: ghcr.io",
    },
    {
      key: "username",
      type: "text, or [NAME]",
      default: "required",
      since: "0.0.1",
      meaning: "Whom to log in",
      example: "username: user",
    },
    {
      key: "password",
      type: "[NAME], or text",
      default: "required",
      since: "0.0.1",
      meaning: "A variable of .env or the environment; goes to docker login on standard input",
      example: "password: [MRSK_REGISTRY_PASSWORD]",
    },
  ],
};

export const ENV: Section = {
  name: "env",
  meaning:
    "Either NAME: value pairs, or the keys below. Values of secrets come from .env or the environment, reach only the\n" +
    "docker command that starts the container, and arrive byte by byte. `${NAME}` in a clear value is the host's variable.",
  at: ["env", "servers.*.env", "accessories.*.env", "traefik.env", "env.tags.*"],
  keys: [
    {
      key: "clear",
      type: "map",
      default: "none",
      since: "0.2.0",
      meaning: "Variables that anybody may see",
      example: "clear:\n  LOG_LEVEL: info",
    },
    {
      key: "secret",
      type: "list of names",
      default: "none",
      since: "0.2.0",
      meaning: "Variables whose values are looked up; a missing one is an error before anything is touched",
      example: "secret:\n  - DATABASE_URL",
    },
    {
      key: "tags",
      type: "map of env",
      default: "none",
      since: "Kamal 1.6",
      meaning: "What hosts with that tag get on top",
      example: "tags:\n  eu:\n    REGION: eu",
      only: ["env"],
    },
  ],
};

export const HEALTHCHECK: Section = {
  name: "healthcheck",
  meaning:
    "Behind Traefik the path is asked through Traefik, and must answer 2xx. Docker asks too, with the image's curl; where\n" +
    "the image has none, docker does not ask, and Traefik alone is enough. A role that is not behind Traefik, or behind\n" +
    "one without live files, then needs cmd. With cmd, the command in the container decides.",
  at: ["healthcheck", "servers.*.healthcheck"],
  keys: [
    {
      key: "cmd",
      type: "shell command",
      default: "none",
      since: "0.12.0",
      meaning: "Run in the container instead of the HTTP question; exit status 0 is healthy",
      example: "cmd: bin/alive",
    },
    {
      key: "path",
      type: "path",
      default: DEFAULTS.healthcheck.path,
      since: "0.7.0",
      meaning: "What is asked for",
      example: "path: /health",
    },
    {
      key: "port",
      type: "port",
      default: String(DEFAULTS.healthcheck.port),
      since: "0.7.0",
      meaning: "Where the app listens in its container, for the question",
      example: "port: 8080",
    },
    {
      key: "interval",
      type: "duration",
      default: DEFAULTS.healthcheck.interval,
      since: "0.13.0",
      meaning: "Docker's interval between two looks",
      example: "interval: 5s",
    },
    {
      key: "max_attempts",
      type: "number",
      default: String(DEFAULTS.healthcheck.maxAttempts),
      since: "0.11.0",
      meaning: "How patient a deploy is: the nth try is followed by a pause of n seconds, 7 are 28 seconds",
      example: "max_attempts: 10",
    },
    {
      key: "cord",
      type: "path or false",
      default: "none",
      since: "Kamal 1.0",
      meaning: "Read for files of Kamal, and told to have no effect: live files do the work of its cord",
      example: "cord: false",
    },
    {
      key: "exposed_port",
      type: "port",
      default: "none",
      since: "Kamal 1.0",
      meaning: "Read for files of Kamal, and told to have no effect: nothing is published for a probe here",
      example: "exposed_port: 4000",
    },
    {
      key: "log_lines",
      type: "number",
      default: String(DEFAULTS.logLines),
      since: "Kamal 1.0",
      meaning: "Last lines that are shown of the log of a container that did not become healthy, or did not stay so",
      example: "log_lines: 100",
    },
  ],
};
