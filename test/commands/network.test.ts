import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureNetwork, joinCuts, joinNewTraefik, joinNetworks, networkSteps } from "../../src/commands/network.ts";
import { fake, folder, run } from "../support/fake-commands.ts";
import { config, line } from "../support/config.ts";

test("a network is made where it is absent, and a second maker at the same time is no failure", () => {
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

test("without the key there is no step", () => {
  expect(networkSteps(config())).toEqual([]);
  expect(line(joinNewTraefik(config()))).toBe(":");
});

test("Traefik joins a network it is not on, and none where it has the host's", () => {
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

test("a new Traefik goes on docker's default network too, where other services' containers are", () => {
  expect(line(joinNewTraefik(config({ network: "private" })))).toBe("join_networks traefik private bridge");
});

test("only a name that comes first becomes the way out, which cuts what is under way", () => {
  expect(joinCuts("private", ["bridge"])).toBe(false);
  expect(joinCuts("apps", ["bridge"])).toBe(true);
  expect(joinCuts("apps", ["a", "bridge"])).toBe(false);
});
