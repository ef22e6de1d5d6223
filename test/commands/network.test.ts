import { expect, test } from "vitest";
import { ensureNetwork, joinCuts, joinNewTraefik, joinNetworks, networkSteps } from "../../src/commands/network.ts";
import { config, line } from "./support.ts";

test("a network is made where it is absent, and a second maker at the same time is no failure", () => {
  expect(line(ensureNetwork("private"))).toBe(
    "docker network inspect private >/dev/null 2>&1 || docker network create private >/dev/null || docker network inspect private >/dev/null",
  );
});

test("without the key there is no step", () => {
  expect(networkSteps(config())).toEqual([]);
  expect(line(joinNewTraefik(config()))).toBe(":");
});

test("Traefik joins a network it is not on, and none where it has the host's", () => {
  expect(line(joinNetworks("traefik", "private"))).toBe(
    `[ "$(docker inspect --type container --format '{{with .NetworkSettings.Networks}}{{if or (index . "private") (index . "host")}}yes{{end}}{{end}}' traefik)" = yes ] || docker network connect private traefik`,
  );
});

test("a new Traefik goes on docker's default network too, where other services' containers are", () => {
  expect(line(joinNewTraefik(config({ network: "private" })))).toContain("docker network connect bridge traefik");
});

test("only a name that comes first becomes the way out, which cuts what is under way", () => {
  expect(joinCuts("private", ["bridge"])).toBe(false);
  expect(joinCuts("apps", ["bridge"])).toBe(true);
  expect(joinCuts("apps", ["a", "bridge"])).toBe(false);
});
