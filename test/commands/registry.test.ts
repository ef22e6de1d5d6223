import { expect, test } from "vitest";
import { login, logout } from "../../src/commands/registry.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { config, line } from "../support/config.ts";

test("the registry's password goes to standard input", () => {
  const user = new Secret("user", "u");
  const password = new Secret("password", "p");
  const registry = { ...config().registry, server: "ghcr.io" };
  expect(line(login(registry, user, password))).toBe(
    "printf '%s' <password> | docker login ghcr.io -u <user> --password-stdin",
  );
  expect(line(login(config().registry, user, password))).toBe(
    "printf '%s' <password> | docker login -u <user> --password-stdin",
  );
  expect(line(logout(registry))).toBe("docker logout ghcr.io");
  expect(line(logout(config().registry))).toBe("docker logout");
});
