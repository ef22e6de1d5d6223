import { DEFAULTS } from "../defaults.ts";
import type { Section } from "./types.ts";

export const SSH: Section = {
  name: "ssh",
  meaning:
    "SSH connections to the servers. mrsk uses ~/.ssh/config, the agent and the usual key files as ssh does. It checks\n" +
    "known_hosts and adds new hosts. To set another user, port or key for one host, write USER@HOST:PORT in servers, or\n" +
    "use ~/.ssh/config.",
  at: ["ssh"],
  keys: [
    {
      key: "user",
      type: "name",
      default: DEFAULTS.ssh.user,
      since: "0.6.0",
      meaning: "Login user, who must be allowed to use docker",
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
      meaning: "Jump host; its user is root by default",
      example: "proxy: jump@192.0.2.1",
    },
    {
      key: "proxy_command",
      type: "command",
      default: "none",
      since: "0.11.0",
      meaning:
        "Command that makes the connection, if `proxy` is not set; %h is the host, %p the port, %r the user, %n the name",
      example: "proxy_command: ssh -W %h:%p jump@192.0.2.1",
    },
    {
      key: "keys",
      type: "list of files, or one",
      default: "none",
      since: "Kamal 1.8",
      meaning: "Private key files to try first",
      example: "keys:\n  - ~/.ssh/deploy",
    },
    {
      key: "keys_only",
      type: "true or false",
      default: "false",
      since: "Kamal 1.8",
      meaning: "true: try only the keys of `keys`, and only these from the agent",
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
      meaning: "false: do not read ~/.ssh/config. One file or several: read these instead",
      example: "config: false",
    },
    {
      key: "connect_timeout",
      type: "seconds",
      default: String(DEFAULTS.ssh.connectTimeoutSeconds),
      since: "new",
      meaning: "Limit for a connection, and for each answer of the server before a command begins",
      example: "connect_timeout: 5",
    },
    {
      key: "forward_agent",
      type: "true or false",
      default: "false in effect",
      since: "Kamal 2.12",
      meaning: "Accepted for files of Kamal 2; true with a note that it has no effect: mrsk forwards no agent",
      example: "forward_agent: false",
    },
    {
      key: "log_level",
      type: "word",
      default: DEFAULTS.ssh.logLevel,
      since: "Kamal 0.16",
      meaning:
        "debug: print all messages of the SSH library for connections that fail. info: print when connections open and close. warn, error, fatal: print neither",
      example: "log_level: debug",
    },
  ],
};

export const SSHKIT: Section = {
  name: "sshkit",
  meaning: "Limits of the SSH connections.",
  at: ["sshkit"],
  keys: [
    {
      key: "max_concurrent_starts",
      type: "number",
      default: String(DEFAULTS.sshkit.maxConcurrentStarts),
      since: "Kamal 0.16",
      meaning: "Number of connections that are opened at the same time",
      example: "max_concurrent_starts: 10",
    },
    {
      key: "pool_idle_timeout",
      type: "seconds",
      default: String(DEFAULTS.sshkit.poolIdleTimeoutSeconds),
      since: "Kamal 0.16",
      meaning: "Time after which an unused connection is closed; it is opened again when needed",
      example: "pool_idle_timeout: 300",
    },
    {
      key: "dns_retries",
      type: "number",
      default: "none",
      since: "Kamal 2.9",
      meaning: "Accepted for files of Kamal 2, with a note that it has no effect: this machine's resolver retries",
      example: "dns_retries: 3",
    },
  ],
};
