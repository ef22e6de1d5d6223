import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { DEFAULTS } from "../../src/config/defaults.ts";
import { keyPaths } from "../../src/config/reference/reference.ts";
import { durationSeconds } from "../../src/config/resolve-parts.ts";
import { configOf, problemsOf, withRequired } from "./from-yaml.ts";

/** The required keys, and the sections that exist only if they are written. */
const YAML = withRequired(`release: npm run migrate
accessories: {db: {image: redis, host: 10.0.0.1, files: ["a:/a"]}}`);

/** The loader's value of each key with a default. `servers.*.KEY` has the default of `KEY`. */
function loaded(config: Config): Readonly<Record<string, unknown>> {
  const role = config.roles[0]!;
  const { healthcheck, logLines, bootOrder } = role;
  return {
    readiness_delay: config.readinessDelaySeconds,
    drain_timeout: config.drainTimeoutSeconds,
    hooks_path: config.hooksPath,
    retain_containers: config.retainContainers,
    run_directory: config.runDirectory,
    primary_role: config.primaryRole,
    require_destination: config.requireDestination,
    logging: `max-size ${config.logging.maxSize}`,
    "healthcheck.path": healthcheck?.path,
    "healthcheck.port": healthcheck?.port,
    "healthcheck.interval": healthcheck?.interval,
    "healthcheck.max_attempts": healthcheck?.maxAttempts,
    "healthcheck.log_lines": logLines,
    "boot.order": bootOrder,
    "boot.watch": config.boot.watchSeconds,
    "builder.multiarch": config.builder.kind === "multiarch",
    "builder.allow_tracked_env": config.builder.allowTrackedEnv,
    "builder.dockerfile": config.builder.dockerfile,
    "accessories.*.files.mode": config.accessories[0]?.files[0]?.mode,
    "traefik.image": config.traefik.image,
    "traefik.host_port": config.traefik.hostPort,
    "traefik.publish": config.traefik.hostPort !== undefined,
    "ssh.user": config.ssh.user,
    "ssh.keys_only": config.ssh.keysOnly,
    "ssh.config": config.ssh.config,
    "ssh.connect_timeout": config.ssh.connectTimeoutSeconds,
    "ssh.log_level": config.ssh.logLevel,
    "sshkit.max_concurrent_starts": config.ssh.maxConcurrentStarts,
    "sshkit.pool_idle_timeout": config.ssh.poolIdleTimeoutSeconds,
    "release.timeout": config.release?.timeoutSeconds,
  };
}

/** The loader's value of each key of Kamal 2 with a default. */
function loadedOfKamal2({ roles, secretsPath, traefik }: Config): Readonly<Record<string, unknown>> {
  const { buffering, healthcheck, logging, run, ...proxy } = roles[0]!.proxy!;
  return {
    secrets_path: secretsPath,
    "proxy.app_port": proxy.appPort,
    "proxy.ssl": proxy.ssl,
    "proxy.ssl_redirect": proxy.sslRedirect,
    "proxy.response_timeout": proxy.responseTimeoutSeconds,
    "proxy.strip_path_prefix": proxy.stripPathPrefix,
    "proxy.healthcheck.path": healthcheck.path,
    "proxy.healthcheck.interval": healthcheck.intervalSeconds,
    "proxy.healthcheck.timeout": healthcheck.timeoutSeconds,
    "proxy.buffering.requests": buffering.requests,
    "proxy.buffering.responses": buffering.responses,
    "proxy.buffering.memory": buffering.memoryBytes,
    "proxy.logging.request_headers": logging!.requestHeaders.join(", "),
    "proxy.run.http_port": run.httpPort,
    "proxy.run.https_port": run.httpsPort,
    "proxy.run.publish": run.publish,
    "proxy.run.debug": run.debug,
    "proxy.run.log_max_size": traefik.logging.maxSize,
  };
}

/** Keys whose documented default has a test of its own below. */
const ELSEWHERE = ["allow_empty_roles", "boot.wait", "ssh.port"];

/** Whether a documented default is a value, and not a phrase or a pattern such as `SERVICE-NAME`. */
function isValue(text: string): boolean {
  return !/^(?:none|unlimited|required|docker's|[A-Z]{2,}-\S+)$|\s/.test(text);
}

test("the documentation of every key gives the loader's default", async () => {
  const kamal2 = loadedOfKamal2(await configOf(withRequired("proxy: {logging: {}}")));
  const values = { ...loaded(await configOf(YAML)), ...kamal2 };
  const globalOf = (path: string) => path.replace(/^servers\.\*\.|^accessories\.\*\.(?=proxy\.)/, "");
  const keys = [...keyPaths()].map(([path, key]) => ({ path, global: globalOf(path), ...key }));
  expect(keys.map(({ path }) => path)).toEqual(expect.arrayContaining(Object.keys(values)));
  const withDefault = keys.filter(
    ({ path, global, default: text }) => (path in values || isValue(text)) && !ELSEWHERE.includes(global),
  );
  for (const { path, global, default: text } of withDefault)
    expect(`${path}: ${text}`).toBe(`${path}: ${String(values[global])}`);
});

test("boot.wait has its documented default only with a limit", async () => {
  const limited = await configOf(withRequired("boot: {limit: 1}"));
  expect(keyPaths().get("boot.wait")?.default).toBe(`${limited.boot.waitSeconds} with a limit`);
  expect((await configOf(YAML)).boot.waitSeconds).toBe(0);
});

test("allow_empty_roles is off by default, as documented", async () => {
  expect(keyPaths().get("allow_empty_roles")?.default).toBe("false");
  const problems = await problemsOf({
    "deploy.yml": `service: app
image: acme/app
servers: {web: [h], jobs: {hosts: []}}
registry: {username: u, password: p}
`,
  });
  expect(problems.join("\n")).toContain("No servers specified for the jobs role");
});

test("the port of sshd is not fixed by the loader, so that ~/.ssh/config can give it; the documented default is last", async () => {
  expect((await configOf(YAML)).ssh.port).toBeUndefined();
  expect(keyPaths().get("ssh.port")?.default).toBe(String(DEFAULTS.ssh.port));
});

test("the default interval is a duration that healthchecks can use", () => {
  expect(durationSeconds(DEFAULTS.healthcheck.interval)).toBeGreaterThan(0);
});
