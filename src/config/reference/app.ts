import { DEFAULTS } from "../defaults.ts";
import { ORDER } from "./boot.ts";
import type { Section } from "./types.ts";

export const SERVERS: Section = {
  name: "servers",
  meaning:
    "Hosts and roles. A list of hosts is the role web. A map has roles, each a list of hosts or a map with these keys.\n" +
    "A host is HOST, USER@HOST, HOST:PORT or [V6]:PORT, with tags after a colon: `- 192.0.2.10: [eu, first]`.",
  at: ["servers.*"],
  keys: [
    {
      key: "hosts",
      type: "list of hosts, or one",
      default: "required",
      since: "0.0.2",
      meaning: "Hosts of the role",
      example: "hosts:\n  - 192.0.2.10\n  - 192.0.2.11: eu",
    },
    {
      key: "cmd",
      type: "command",
      default: "the image's",
      since: "0.0.2",
      meaning: "Command of the containers, split into words by the rules of a shell, and run without a shell",
      example: "cmd: node worker.js",
    },
    {
      key: "env",
      type: "map",
      default: "none",
      since: "0.2.0",
      meaning: "Variables of the role, merged over the global ones by key",
      example: "env:\n  clear:\n    QUEUE: mail",
    },
    {
      key: "labels",
      type: "map",
      default: "none",
      since: "0.0.3",
      meaning: "Labels of the role, merged over the global ones and Traefik's defaults",
      example: "labels:\n  traefik.http.routers.my-app-web.rule: Host(`example.com`)",
    },
    {
      key: "options",
      type: "map",
      default: "none",
      since: "0.9.0",
      meaning:
        "Flags of `docker run`: true is a flag without a value, a list repeats the flag. In a Kamal 2 file, restart is the policy of live containers",
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
      key: "proxy",
      type: "true, false, or map",
      default: "true for the primary role",
      since: "Kamal 2.0",
      meaning: "Whether and how Traefik routes requests to the role. A map is merged over the global section",
      example: "proxy:\n  host: api.example.com",
    },
    {
      key: "healthcheck",
      type: "map",
      default: "the global one behind Traefik, else none",
      since: "0.12.0",
      meaning:
        "Health check of the role. For a role behind Traefik it is merged over the global one by key; another role has this one only",
      example: "healthcheck:\n  cmd: bin/alive",
    },
    {
      key: "logging",
      type: "map",
      default: "the global one",
      since: "Kamal 1.4",
      meaning: "Logging of the role, merged over the global one",
      example: "logging:\n  driver: local",
    },
    {
      key: "asset_path",
      type: "absolute path in the container[:options]",
      default: "the global one",
      since: "Kamal 1.0",
      meaning: "The same as the global key, for this role",
      example: "asset_path: /app/public/assets",
    },
    {
      key: "stop_timeout",
      type: "seconds",
      default: "the global one",
      since: "Kamal 2.12",
      meaning: "The same as the global key, for this role",
      example: "stop_timeout: 60",
    },
    {
      key: "boot",
      type: "map",
      default: "the global one",
      since: "new",
      meaning: "How the role changes version; `order` is the only key",
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
  meaning:
    "The registry of the image. A credential is a text, or a list with the name of one variable. Write passwords as names only.\n" +
    "A registry localhost:PORT without credentials, which Kamal 2 starts on this machine, loads; a deploy refuses it.",
  at: ["registry", "accessories.*.registry"],
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
      meaning: "User name for the login",
      example: "username: user",
    },
    {
      key: "password",
      type: "[NAME], or text",
      default: "required",
      since: "0.0.1",
      meaning: "Name of a variable in .env or the environment; docker login gets its value on standard input",
      example: "password: [MRSK_REGISTRY_PASSWORD]",
    },
  ],
};

export const ENV: Section = {
  name: "env",
  meaning:
    "Variables of containers: either NAME: value pairs, or the keys below. The values of secrets come from .env or the\n" +
    "environment. They reach only the docker command that starts the container, unchanged. `${NAME}` in a clear value is a\n" +
    "variable of the host. If a name is in clear and in secret, that is an error; in a Kamal 2 file the clear value wins, and\n" +
    "an empty value removes the variable.",
  at: ["env", "servers.*.env", "accessories.*.env", "traefik.env", "env.tags.*"],
  keys: [
    {
      key: "clear",
      type: "map",
      default: "none",
      since: "0.2.0",
      meaning: "Variables that are not secret",
      example: "clear:\n  LOG_LEVEL: info",
    },
    {
      key: "secret",
      type: "list of names",
      default: "none",
      since: "0.2.0",
      meaning:
        "Names of variables whose values mrsk reads; a missing value is an error before anything changes. `NAME:OTHER` sets NAME to the value of OTHER",
      example: "secret:\n  - DATABASE_URL",
    },
    {
      key: "tags",
      type: "map of env",
      default: "none",
      since: "Kamal 1.6",
      meaning: "Additional variables for the hosts with that tag",
      example: "tags:\n  eu:\n    REGION: eu",
      only: ["env"],
    },
  ],
};

export const HEALTHCHECK: Section = {
  name: "healthcheck",
  meaning:
    "Check that a new container must pass before it gets requests. For a role behind Traefik, mrsk probes the path through\n" +
    "Traefik, which must answer 2xx. Docker checks it too, with the image's curl. If the image has no curl, the probe\n" +
    "through Traefik alone is enough; a role that is not behind Traefik, or is behind one without live files, then needs\n" +
    "cmd. With cmd, the command in the container decides.",
  at: ["healthcheck", "servers.*.healthcheck"],
  keys: [
    {
      key: "cmd",
      type: "shell command",
      default: "none",
      since: "0.12.0",
      meaning: "Command to run in the container instead of the HTTP check; exit status 0 means healthy",
      example: "cmd: bin/alive",
    },
    {
      key: "path",
      type: "path",
      default: DEFAULTS.healthcheck.path,
      since: "0.7.0",
      meaning: "Path of the HTTP check",
      example: "path: /health",
    },
    {
      key: "port",
      type: "port",
      default: String(DEFAULTS.healthcheck.port),
      since: "0.7.0",
      meaning: "Port of the app in its container, for the HTTP check",
      example: "port: 8080",
    },
    {
      key: "interval",
      type: "duration",
      default: DEFAULTS.healthcheck.interval,
      since: "0.13.0",
      meaning: "Time between two of docker's health checks",
      example: "interval: 5s",
    },
    {
      key: "max_attempts",
      type: "number",
      default: String(DEFAULTS.healthcheck.maxAttempts),
      since: "0.11.0",
      meaning:
        "Number of attempts, which sets the time limit of a deploy: attempt n is followed by n seconds, so 7 attempts allow 28 seconds",
      example: "max_attempts: 10",
    },
    {
      key: "cord",
      type: "path or false",
      default: "none",
      since: "Kamal 1.0",
      meaning: "Accepted for files of Kamal, with a note that it has no effect: live files replace the cord",
      example: "cord: false",
    },
    {
      key: "exposed_port",
      type: "port",
      default: "none",
      since: "Kamal 1.0",
      meaning: "Accepted for files of Kamal, with a note that it has no effect: mrsk publishes no port for a probe",
      example: "exposed_port: 4000",
    },
    {
      key: "log_lines",
      type: "number",
      default: String(DEFAULTS.logLines),
      since: "Kamal 1.0",
      meaning: "Lines from the end of the log to show, if a container does not become healthy or does not stay healthy",
      example: "log_lines: 100",
    },
  ],
};
