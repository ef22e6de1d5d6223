import { expect, test } from "vitest";
import { redactedConfig } from "../../src/config/print.ts";
import { configOf, withRequired } from "./from-yaml.ts";

test("the config is shown under the original's names, with nothing secret in it", async () => {
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
  expect(redactedConfig(config, "v1")).toEqual({
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
        port: "3306:3306",
        env_args: ["-e", "P=[REDACTED]"],
      },
    },
    logging: { options: { "max-size": "10m" } },
    healthcheck: { path: "/up", port: 3000, interval: "1s", max_attempts: 7 },
  });
});

test("what is not set is left out", async () => {
  const shown = redactedConfig(await configOf(withRequired("")), "v1");
  expect(Object.keys(shown)).not.toContain("accessories");
  expect(Object.keys(shown)).not.toContain("env_args");
});
