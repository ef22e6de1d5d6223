import * as z from "zod/mini";
import {
  env,
  healthcheck,
  host,
  lazy,
  logging,
  name,
  optional,
  options,
  order,
  port,
  positiveSeconds,
  record,
  seconds,
  secretNames,
  strict,
  taggedEnv,
  text,
  textLike,
  values,
  variableName,
  wholeNumber,
} from "./schema-parts.ts";
import { proxy } from "./schema-proxy.ts";

const hostWithTags = record(host, z.union([text, z.array(text)]));

const roleHosts = z.array(z.union([host, hostWithTags]));

/** A path in the container and options of the volume, or false. */
const assetPath = z.union([
  textLike(/^\/[^:]*[^:/][^:]*(?::[\w,=]+)?$/, "should be an absolute path in the container"),
  z.literal(false),
]);

const writtenRole = lazy(() =>
  strict({
    hosts: optional(z.union([roleHosts, host])),
    cmd: optional(text),
    env: optional(env),
    labels: optional(values),
    options: optional(options),
    traefik: optional(z.boolean()),
    healthcheck: optional(healthcheck),
    logging: optional(logging),
    asset_path: optional(assetPath),
    boot: optional(strict({ order: optional(order) })),
    proxy: optional(z.union([z.boolean(), proxy])),
    stop_timeout: optional(seconds),
  }),
);

const credential = z.union([text, z.array(variableName).check(z.length(1, "should be a list of one variable's name"))]);

/** 1 to 65535. */
const PORT_NUMBER = String.raw`(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])`;

/** `HOST[:PORT][/PATH]` of a registry. */
const SERVER = new RegExp(
  [
    String.raw`^(?:[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])`,
    `(?::${PORT_NUMBER})?`,
    String.raw`(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$`,
  ].join(""),
);

const registry = strict({
  server: optional(
    textLike(SERVER, "should be HOST[:PORT][/PATH] as in ghcr.io, without https:// and without / at its end"),
  ),
  username: optional(credential),
  password: optional(credential),
});

const builderHost = lazy(() => strict({ arch: text, host: optional(text) }));

const builder = lazy(() =>
  strict({
    multiarch: optional(z.boolean()),
    arch: optional(z.union([text, z.array(text)])),
    local: optional(z.union([builderHost, z.boolean()])),
    remote: optional(z.union([builderHost, text, z.literal(false)])),
    driver: optional(text),
    pack: optional(strict({ builder: text, buildpacks: optional(z.array(text)) })),
    provenance: optional(z.union([z.boolean(), text])),
    sbom: optional(z.boolean()),
    args: optional(values),
    secrets: optional(secretNames),
    allow_tracked_env: optional(z.boolean()),
    dockerfile: optional(text),
    context: optional(text),
    target: optional(text),
    ssh: optional(text),
    cache: optional(
      strict({ type: optional(z.enum(["gha", "registry"])), options: optional(text), image: optional(text) }),
    ),
  }),
);

const PORTS = `${PORT_NUMBER}(?:-${PORT_NUMBER})?`;

/** `docker run --publish`: `[[ADDRESS:][HOST_PORTS]:]CONTAINER_PORTS[/PROTOCOL]`. */
const PUBLISHED = new RegExp(
  `^(?:(?:(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[[\\da-fA-F:.]+\\]):)?(?:${PORTS})?:)?${PORTS}(?:/(?:tcp|udp|sctp))?$`,
);

const PORT_OF_ACCESSORY =
  "should be a port, or host:container ports, each from 1 to 65535; for several, write options: {publish: [PORTS, PORTS]}";

/** The long form of a file or a folder of an accessory. */
const mount = lazy(() =>
  strict({
    local: text,
    remote: textLike(/^\//, "should be an absolute path in the container"),
    mode: optional(textLike(/^[0-7]{3,4}$/, "should be an octal mode such as 644")),
    owner: optional(textLike(/^[\w.-]+(?::[\w.-]+)?$/, "should be USER, or USER:GROUP")),
    options: optional(text),
  }),
);

const accessoryFile = lazy(() =>
  z.union([
    textLike(
      /^[^:]+:\/[^:]*(?::(?:[0-7]{3,4}|[a-zA-Z][\w,=-]*))?$/,
      "should be local:/path/in/container, or local:/path/in/container:mode",
    ),
    mount,
  ]),
);

const accessoryDirectory = lazy(() =>
  z.union([textLike(/^[^:]+:\/[^:]*(?::[^:]+)?$/, "should be name:/path/in/container"), mount]),
);

const accessory = lazy(() =>
  strict({
    image: text,
    service: optional(name),
    host: optional(host),
    hosts: optional(z.array(host)),
    roles: optional(z.array(text)),
    role: optional(text),
    tag: optional(text),
    tags: optional(z.array(text)),
    registry: optional(registry),
    proxy: optional(z.union([z.literal(false), proxy])),
    port: optional(textLike(PUBLISHED, PORT_OF_ACCESSORY)),
    cmd: optional(text),
    env: optional(env),
    labels: optional(values),
    options: optional(options),
    files: optional(z.array(accessoryFile)),
    directories: optional(z.array(accessoryDirectory)),
    volumes: optional(z.array(text)),
    network: optional(text),
  }),
);

const traefik = lazy(() =>
  strict({
    image: optional(text),
    host_port: optional(port),
    publish: optional(z.boolean()),
    args: optional(options),
    options: optional(options),
    labels: optional(values),
    env: optional(env),
  }),
);

const LIMIT = "should be a number of hosts, or a percentage such as 25%";

const boot = lazy(() =>
  strict({
    limit: optional(
      z.union([wholeNumber(1), z.string().check(z.regex(/^(?:0*[1-9]\d?|0*100|0*\d{1,2}\.\d*[1-9]\d*)%$/, LIMIT))]),
    ),
    wait: optional(seconds),
    watch: optional(seconds),
    order: optional(order),
    parallel_roles: optional(z.boolean()),
  }),
);

const ssh = lazy(() =>
  strict({
    user: optional(text),
    port: optional(port),
    proxy: optional(host),
    proxy_command: optional(text),
    keys: optional(z.union([z.array(text), text])),
    keys_only: optional(z.boolean()),
    key_data: optional(z.union([z.array(text), text])),
    config: optional(z.union([z.boolean(), z.array(text), text])),
    connect_timeout: optional(positiveSeconds),
    forward_agent: optional(z.boolean()),
    log_level: optional(textLike(/^:?(?:debug|info|warn|error|fatal)$/, "should be debug, info, warn, error or fatal")),
  }),
);

const sshkit = lazy(() =>
  strict({
    max_concurrent_starts: optional(wholeNumber(1)),
    pool_idle_timeout: optional(positiveSeconds),
    dns_retries: optional(wholeNumber(0)),
  }),
);

const output = lazy(() =>
  strict({ otel: optional(strict({ endpoint: text })), file: optional(strict({ path: text })) }),
);

/** Ruby's symbols, `:quiet`, are usual here, and allowed in `ssh.log_level`. */
const hookLevel = textLike(/^:?(?:quiet|verbose)$/, "should be quiet or verbose");

const hooksOutput = lazy(() => z.union([hookLevel, record(z.string(), hookLevel)]));

const release = lazy(() =>
  z.union([text, strict({ command: text, timeout: optional(positiveSeconds), role: optional(text) })]),
);

const NETWORK =
  "should be the name of a user-defined network: in docker's bridge, host and none containers have no names";

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?::\d+(?=\/))?(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;

/** `deploy.yml` as written: every allowed form, without defaults. Unknown keys are errors. */
export const writtenConfig = strict({
  service: name,
  image: textLike(REPOSITORY, "should be a repository in lower case, without a tag"),
  servers: z.union([roleHosts, record(name, z.union([roleHosts, writtenRole]))]),
  registry,
  env: optional(taggedEnv),
  labels: optional(values),
  volumes: optional(z.array(text)),
  logging: optional(logging),
  healthcheck: optional(healthcheck),
  readiness_delay: optional(seconds),
  stop_wait_time: optional(seconds),
  stop_timeout: optional(seconds),
  deploy_timeout: optional(seconds),
  drain_timeout: optional(seconds),
  boot: optional(boot),
  builder: optional(builder),
  accessories: optional(record(name, accessory)),
  traefik: optional(traefik),
  proxy: optional(proxy),
  ssh: optional(ssh),
  sshkit: optional(sshkit),
  hooks_path: optional(text),
  hooks_output: optional(hooksOutput),
  secrets_path: optional(text),
  error_pages_path: optional(text),
  output: optional(output),
  retain_containers: optional(wholeNumber(1)),
  run_directory: optional(textLike(/^[A-Za-z0-9._][\w./-]*$/, "should be a path below the home of the login user")),
  primary_role: optional(text),
  allow_empty_roles: optional(z.boolean()),
  require_destination: optional(z.boolean()),
  minimum_version: optional(textLike(/^\d+(?:\.\w+)*(?:-[\w.-]+)?$/, "should be a version such as 1.9.0")),
  asset_path: optional(assetPath),
  network: optional(textLike(/^(?!(?:bridge|host|none)$)[A-Za-z0-9][\w.-]*$/, NETWORK)),
  release: optional(release),
  aliases: optional(record(z.string(), text)),
});

export type WrittenConfig = z.infer<typeof writtenConfig>;
export type WrittenRole = z.infer<typeof writtenRole>;
export type WrittenAccessory = z.infer<typeof accessory>;
export type WrittenHealthcheck = z.infer<typeof healthcheck>;
export type WrittenEnv = z.infer<typeof env>;
export type WrittenTaggedEnv = z.infer<typeof taggedEnv>;
export type WrittenLogging = z.infer<typeof logging>;
export type WrittenOptions = z.infer<typeof options>;
