import { DEFAULTS } from "../defaults.ts";
import type { Section } from "./types.ts";

export const SSH: Section = {
  name: "ssh",
  meaning:
    "~/.ssh/config, the agent and the usual key files count as for ssh itself; known_hosts is checked, new hosts are\n" +
    "added. Other user, port or key for one host: USER@HOST:PORT in servers, or ~/.ssh/config.",
  at: ["ssh"],
  keys: [
    {
      key: "user",
      type: "name",
      default: DEFAULTS.ssh.user,
      since: "0.6.0",
      meaning: "Login user; must be allowed to use docker",
      example: "user: app",
    },
    {
      key: "port",
      type: "port",
      default: String(DEFAULTS.ssh.port),
      since: "Kamal 1.2",
      meaning: "Port of sshd",
      example: "port: 2222",
    },
    {
      key: "proxy",
      type: "host",
      default: "none",
      since: "0.6.0",
      meaning: "Jump host; its user is root unless named",
      example: "proxy: jump@192.0.2.1",
    },
    {
      key: "proxy_command",
      type: "command",
      default: "none",
      since: "0.11.0",
      meaning: "Makes the connection; %h and %p are host and port, %r and %n user and name. Used without `proxy`",
      example: "proxy_command: ssh -W %h:%p jump@192.0.2.1",
    },
    {
      key: "keys",
      type: "list of files, or one",
      default: "none",
      since: "Kamal 1.8",
      meaning: "Private keys to try first",
      example: "keys:\n  - ~/.ssh/deploy",
    },
    {
      key: "keys_only",
      type: "true or false",
      default: "false",
      since: "Kamal 1.8",
      meaning: "Try those alone, also of the agent's keys",
      example: "keys_only: true",
    },
    {
      key: "key_data",
      type: "list of texts, or one",
      default: "none",
      since: "Kamal 1.8",
      meaning: "Names of variables that hold private keys, or the keys themselves",
      example: "key_data:\n  - DEPLOY_KEY",
    },
    {
      key: "config",
      type: "true, false, or files",
      default: "true",
      since: "Kamal 1.8",
      meaning: "false: ~/.ssh/config is not read; a file, or several: those instead",
      example: "config: false",
    },
    {
      key: "connect_timeout",
      type: "seconds",
      default: String(DEFAULTS.ssh.connectTimeoutSeconds),
      since: "new",
      meaning: "How long a connection may take, and each answer of the server before a command begins",
      example: "connect_timeout: 5",
    },
    {
      key: "log_level",
      type: "word",
      default: DEFAULTS.ssh.logLevel,
      since: "Kamal 0.16",
      meaning:
        "debug: all that the SSH library says, for connections that fail; info: connections made and closed; warn, error, fatal: nothing of that",
      example: "log_level: debug",
    },
  ],
};

export const SSHKIT: Section = {
  name: "sshkit",
  meaning: "Limits of the connections.",
  at: ["sshkit"],
  keys: [
    {
      key: "max_concurrent_starts",
      type: "number",
      default: String(DEFAULTS.sshkit.maxConcurrentStarts),
      since: "Kamal 0.16",
      meaning: "Connections opened at once",
      example: "max_concurrent_starts: 10",
    },
    {
      key: "pool_idle_timeout",
      type: "seconds",
      default: String(DEFAULTS.sshkit.poolIdleTimeoutSeconds),
      since: "Kamal 0.16",
      meaning: "A connection that was not used for so long is closed, and opened again when it is needed",
      example: "pool_idle_timeout: 300",
    },
  ],
};
