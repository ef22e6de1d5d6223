import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  ensureNetwork,
  joinInterrupts,
  joinNewTraefik,
  joinNetworks,
  networkSteps,
} from "../../src/commands/network.ts";
import { fake, folder, run } from "../support/fake-commands.ts";
import { config, line } from "../support/config.ts";

test("a missing network is created, and a concurrent run that creates it first is no error", () => {
  const calls = () => readFileSync(join(folder(), "calls"), "utf8");
  const engine = (body: string) => fake("docker", `echo "$*" >>calls; ${body}`);
  engine("");
  expect(run(ensureNetwork("private")).status).toBe(0);
  expect(calls()).toBe("network inspect private\n");
  engine('[ "$2" = create ]');
  expect(run(ensureNetwork("private")).status).toBe(0);
  expect(calls()).toContain("network create private\n");
  engine('[ "$2" = inspect ] && { [ -f made ] || { touch made; exit 1; }; }');
  expect(run(ensureNetwork("private")).status).toBe(0);
  engine("exit 1");
  expect(run(ensureNetwork("private")).status).toBe(1);
});

test("without network there is no step", () => {
  expect(networkSteps(config())).toEqual([]);
  expect(line(joinNewTraefik(config()))).toBe(":");
});

test("Traefik joins a network that it is not on, and none if it is on the host's network", () => {
  const joined = (answer: string) => {
    fake(
      "docker",
      `case $1 in inspect) case "$*" in *'(index . "private") (index . "host")'*traefik) echo ${answer} ;; esac ;; *) echo "$*" ;; esac`,
    );
    return run(joinNetworks("traefik", "private")).stdout;
  };
  expect(joined("")).toBe("network connect private traefik\n");
  expect(joined("yes")).toBe("");
});

test("a new Traefik joins docker's default network too, which other services use", () => {
  expect(line(joinNewTraefik(config({ network: "private" })))).toBe("join_networks traefik private bridge");
});

test("only the network whose name is first changes the default route, and interrupts connections", () => {
  expect(joinInterrupts("private", ["bridge"])).toBe(false);
  expect(joinInterrupts("apps", ["bridge"])).toBe(true);
  expect(joinInterrupts("apps", ["a", "bridge"])).toBe(false);
});
