import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { redactedConfig } from "../../src/config/print.ts";
import { keyPaths } from "../../src/config/reference/reference.ts";
import { configOf, withRequired } from "./from-yaml.ts";

const [FULL, FULL_KAMAL2] = ["full.yml", "full-kamal2.yml"].map((name) =>
  readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8"),
) as [string, string];

test("the config is printed under MRSK's names, without secrets", async () => {
  const config = await configOf(`service: app
image: acme/app
servers: {web: [10.0.0.1], jobs: [10.0.0.2, 10.0.0.1]}
registry: {server: ghcr.io, username: u, password: hunter2}
env: {clear: {A: 1}, secret: [S]}
volumes: [/a:/a]
ssh: {user: app, key_data: [hunter3]}
builder: {args: {TOKEN: hunter4}}
accessories:
  db: {image: mysql:8, host: 10.0.0.3, port: 3306, env: {secret: [P]}}
`);
  const shown = redactedConfig(config, "v1");
  expect(shown).toMatchObject({
    roles: ["jobs", "web"],
    hosts: ["10.0.0.2", "10.0.0.1"],
    primary_host: "10.0.0.1",
    version: "v1",
    repository: "ghcr.io/acme/app",
    absolute_image: "ghcr.io/acme/app:v1",
    service_with_version: "app-v1",
    env_args: ["-e", "S=[REDACTED]", "-e", "A=1"],
    volume_args: ["--volume", "/a:/a"],
    ssh_options: { user: "app", key_data: ["[REDACTED]"], auth_methods: ["publickey"] },
    builder: { kind: "multiarch", args: { TOKEN: "[REDACTED]" }, dockerfile: "Dockerfile", context: "." },
    accessories: {
      db: {
        service: "app-db",
        image: "mysql:8",
        hosts: ["10.0.0.3"],
        publish: "3306:3306",
        env: { secret: ["P"] },
      },
    },
    logging: { max_size: "10m" },
    healthcheck: { path: "/up", port: 3000, interval: "1s", max_attempts: 7 },
    servers: { web: { hosts: ["10.0.0.1"], traefik: true, env: { clear: { A: "1" }, secret: ["S"] } } },
    drain_timeout_seconds: 30,
  });
  expect(JSON.stringify(shown)).not.toContain("hunter");
});

test("fields without a value are omitted", async () => {
  const shown = redactedConfig(await configOf(withRequired("")), "v1");
  expect(Object.keys(shown)).not.toContain("accessories");
  expect(Object.keys(shown)).not.toContain("env_args");
});

test("the files with every key are complete", () => {
  const written = new Set([FULL, FULL_KAMAL2].flatMap((text) => pathsOf(parse(text, { merge: true }), [])));
  expect([...keyPaths().keys()].filter((path) => !written.has(path))).toEqual([]);
});

/** Key paths as the reference has them: `servers.*.cmd`. */
function pathsOf(value: unknown, at: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, at));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const named = ["servers", "accessories", "env.tags"].includes(at.join("."));
    const path = [...at, named ? "*" : key];
    return [path.join("."), ...pathsOf(below, path)];
  });
}

/** Values that are not printed as written, and what is printed. */
const SHOWN_OTHERWISE = new Map([
  ["secret-build-arg", "[REDACTED]"],
  ["secret-key-data", "[REDACTED]"],
  ["registry-user", "[REDACTED]"],
  ["acme/full-image", "registry.example.com/acme/full-image"],
  ["accessory-directory:/accessory-target:ro", "/accessory-target"],
]);
/** Reported in a note alone. */
const IN_NOTES = new Set(["/web-cord", "4011", "4012"]);
/** Overridden by the role's value, or printed as part of another field: the env of a host with the tag. */
const RESOLVED = new Set(["start_first", "eu"]);

test("every written value is printed, or redacted", async () => {
  const shown = redactedConfig(await configOf(FULL), "v1");
  const leaves = new Set(leavesOf(shown));
  const { healthcheck: _, asset_path: __, ...written } = parse(FULL, { merge: true }) as Record<string, unknown>;
  const missing = leavesOf(written)
    .filter((value) => !["true", "false"].includes(value))
    .map((value) => SHOWN_OTHERWISE.get(value) ?? value)
    .filter((value) => !leaves.has(value) && !IN_NOTES.has(value) && !RESOLVED.has(value));
  expect(missing).toEqual([]);
  expect(shown["notes"]).toHaveLength(2);
  expect(JSON.stringify(shown)).not.toMatch(/secret-(?:build-arg|key-data)|registry-user/);
});

/** Values of keys without effect, of a key that another one overrides, and tags, which are printed as the hosts. */
const NOT_PRINTED = new Set([
  "tag-one",
  "tag-two",
  "null",
  "/overridden",
  "role-registry",
  "role-repository",
  "role-version",
  "45",
  "49",
  "docker-container",
  "pack-builder",
  "pack-buildpack",
  "error/pages",
  "http://otel.example.com",
  "output/path",
  "registry-user",
  "other-user",
  "accessory-image",
]);

test("every written value of Kamal 2 is printed, or has a note or a line about what is unsupported", async () => {
  const shown = redactedConfig(await configOf(FULL_KAMAL2), "v1");
  expect(shown["era"]).toBe("Kamal 2 (builder.arch)");
  const leaves = JSON.stringify(shown);
  const missing = leavesOf(parse(FULL_KAMAL2))
    .filter((value) => !["true", "false"].includes(value) && !NOT_PRINTED.has(value))
    .filter((value) => !leaves.includes(value.replace(/^:/, "").replace(/^RENAMED:/, "")));
  expect(missing).toEqual([]);
  expect((shown["notes"] as string[]).map((note) => note.split(" ")[0])).toEqual([
    "error_pages_path",
    "boot.parallel_roles",
    "ssh.forward_agent",
    "sshkit.dns_retries",
    "output.otel",
    "output.file",
    ...["", "servers.web.", "accessories.placed."].flatMap((at) =>
      ["https_port", "registry", "repository", "version"].map((key) => `${at}proxy.run.${key}`),
    ),
    "proxy.logging:",
    "proxy.buffering:",
    "accessories.placed.proxy.buffering:",
  ]);
  expect(leaves).not.toMatch(/registry-user|other-user/);
});

function leavesOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, below]) => [
    ...(Array.isArray(value) ? [] : [key]).filter((name) => /^[A-Z]/.test(name)),
    ...leavesOf(below),
  ]);
}

test("global values are printed in the roles that inherit them", async () => {
  const config = await configOf(withRequired("healthcheck: {path: /all-up, port: 3012}\nasset_path: /all/assets\n"));
  expect(redactedConfig(config, "v1")).toMatchObject({
    healthcheck: { path: "/all-up", port: 3012 },
    servers: { web: { healthcheck: { path: "/all-up", port: 3012 }, asset_path: "/all/assets" } },
  });
});
