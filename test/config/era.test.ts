import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { eraOf, eraText } from "../../src/config/era.ts";
import { configOf, problemsOf, withRequired } from "./from-yaml.ts";

const NOWHERE = join(tmpdir(), "no-such-project");

test.each([
  ["builder: {arch: amd64}", "Kamal 2 (builder.arch)"],
  ["builder: {arch: [amd64, arm64], multiarch: false}", "Kamal 2 (builder.arch)"],
  ["proxy: {host: a.example.com}", "Kamal 2 (proxy)"],
  ["servers: {web: {hosts: [h], proxy: false}}", "Kamal 2 (servers.web.proxy)"],
  ["{proxy: {}, traefik: {host_port: 81}, healthcheck: {path: /up}}", "Kamal 2 (proxy)"],
  ["deploy_timeout: 60", "Kamal 2 (deploy_timeout)"],
  ["servers: {web: {hosts: [h], stop_timeout: 3}}", "Kamal 2 (servers.web.stop_timeout)"],
  ["secrets_path: x", "Kamal 2 (secrets_path)"],
  ["hooks_output: quiet", "Kamal 2 (hooks_output)"],
  ["error_pages_path: public", "Kamal 2 (error_pages_path)"],
  ["output: {file: {path: log}}", "Kamal 2 (output)"],
  ["builder: {remote: ssh://app@build}", "Kamal 2 (builder.remote)"],
  ["builder: {local: false}", "Kamal 2 (builder.local)"],
  ["builder: {driver: docker}", "Kamal 2 (builder.driver)"],
  ["builder: {pack: {builder: x}}", "Kamal 2 (builder.pack)"],
  ["stop_timeout: 20", "Kamal 2 (stop_timeout)"],
  ["accessories: {db: {proxy: {host: a.b}}}", "Kamal 2 (accessories.db.proxy)"],
  ["accessories: {db: {registry: {server: a.b}}}", "Kamal 2 (accessories.db.registry)"],
  ["registry: {server: localhost:5555}", "Kamal 2 (registry)"],
  ["minimum_version: 2.0.0", "Kamal 2 (minimum_version)"],
  ["traefik: {host_port: 81}", "MRSK and Kamal 1 (traefik)"],
  ["servers: {jobs: {hosts: [h], traefik: false}}", "MRSK and Kamal 1 (servers.jobs.traefik)"],
  ["{healthcheck: {port: 80}, deploy_timeout: 60}", "MRSK and Kamal 1 (healthcheck)"],
  ["servers: {jobs: {hosts: [h], healthcheck: {cmd: x}}}", "MRSK and Kamal 1 (servers.jobs.healthcheck)"],
  ["stop_wait_time: 20", "MRSK and Kamal 1 (stop_wait_time)"],
  ["builder: {multiarch: false}", "MRSK and Kamal 1 (builder.multiarch)"],
  ["builder: {local: {arch: amd64}}", "MRSK and Kamal 1 (builder.local)"],
  ["builder: {remote: {arch: amd64}}", "MRSK and Kamal 1 (builder.remote)"],
  // A registry with credentials is no sign: MRSK takes it.
  ["registry: {server: localhost:5555, username: u, password: p}", "MRSK and Kamal 1 (no key decides)"],
  ["registry: {server: localhost}", "MRSK and Kamal 1 (no key decides)"],
  ["minimum_version: 1.9.0", "MRSK and Kamal 1 (no key decides)"],
  ["drain_timeout: 20", "MRSK and Kamal 1 (no key decides)"],
])("%s is a file of %s", (yaml, era) => {
  expect(eraText(eraOf(parse(yaml) as Record<string, unknown>, NOWHERE))).toBe(era);
});

test.each(["secrets", "secrets-common", "secrets.staging"])("without a key that decides, .kamal/%s does", (name) => {
  const cwd = mkdtempSync(join(tmpdir(), "mrsk-era-"));
  mkdirSync(join(cwd, ".kamal"));
  expect(eraOf({ service: "app" }, cwd).generation).toBe(1);
  writeFileSync(join(cwd, ".kamal", name), "");
  expect(eraText(eraOf({ service: "app" }, cwd))).toBe(`Kamal 2 (.kamal/${name})`);
  expect(eraText(eraOf({ traefik: {} }, cwd))).toBe("MRSK and Kamal 1 (traefik)");
  rmSync(cwd, { recursive: true });
});

test("the file of a destination decides too: the era is that of both files", async () => {
  const files = { "deploy.yml": withRequired(""), "deploy.staging.yml": "proxy: {host: staging.example.com}\n" };
  expect(await configOf(files)).toMatchObject({ era: "MRSK and Kamal 1 (no key decides)", network: undefined });
  expect(await configOf(files, { destination: "staging" })).toMatchObject({
    era: "Kamal 2 (proxy)",
    network: "kamal",
    roles: [{ proxy: { hosts: ["staging.example.com"] } }],
  });
});

test("the mistakes of a Kamal 2 file come with a hint that it was read as one", async () => {
  const yaml = withRequired("builder: {arch: amd64}\nnonsense: 1\n");
  expect(await problemsOf(yaml)).toHaveLength(1);
  await expect(configOf(yaml)).rejects.toMatchObject({ hint: "The file was read as one of Kamal 2 (builder.arch)." });
  await expect(configOf(withRequired("nonsense: 1\n"))).rejects.toMatchObject({ hint: undefined });
});
