import { expect, test } from "vitest";
import { observeContainers } from "../../src/observe/containers.ts";
import { observeHosts } from "../../src/flow/observe.ts";
import type { HostFacts } from "../../src/plan/facts.ts";
import { config } from "./config.ts";
import { fakeRun } from "./fake-run.ts";
import { aHost, container, containerOfMrsk, stopped, type World } from "./world.ts";

/** The facts that an observation of the fake host finds. */
async function observed(world: World): Promise<HostFacts> {
  const run = fakeRun(config({ volumes: ["${A}:/a"] }));
  const facts = await observeHosts(run, [world.fake(run)], "1");
  return facts.get(world.facts().host)!;
}

const live = container("web", 2);

test.each<[string, World]>([
  ["nothing runs", aHost()],
  [
    "containers run behind Traefik",
    aHost("a")
      .behindTraefik()
      .runs(live, container("jobs", 1))
      .keeps(stopped("web", 0))
      .routesTo(live)
      .released("1", "2"),
  ],
  [
    "a canary",
    aHost()
      .behindTraefik()
      .runs(live, container("web", 3))
      .routesTo(live, { canary: { container: container("web", 3), percent: 10 } })
      .with({ canaryRelease: "3", releases: ["2"] }),
  ],
  [
    "MRSK",
    aHost()
      .behindTraefikOfMrsk()
      .runs(containerOfMrsk("web", 1, { destination: "staging" })),
  ],
  [
    "a bare Traefik",
    aHost().behindTraefik({ args: [], networks: [], address: undefined, mounts: new Map(), ports: [] }),
  ],
  [
    "a user without rights",
    aHost().with({
      user: "ada",
      home: "/home/ada",
      root: false,
      sudo: false,
      redirects: false,
      runDirectoryWritable: false,
      canProbe: false,
      liveDirectoryWritable: false,
    }),
  ],
  [
    "the rest",
    aHost().with({
      listeners: new Map([
        [80, "nginx (process 12)"],
        [81, "another program"],
      ]),
      swapLeftovers: ["traefik-swap", "rules"],
      releasesFull: true,
      imageHasCurl: true,
    }),
  ],
])("an observation of the fake host finds the facts: %s", async (_, world) => {
  const expanded = world.with({ expansions: new Map([["A", "b c"]]) });
  expect(await observed(expanded)).toEqual(expanded.facts());
});

test("a neighbour is a container of the host, but not of the service", async () => {
  const shop = { name: "shop-web-1", labels: { service: "shop" } };
  const world = aHost().runs(live).withNeighbour(shop);
  expect((await observeContainers(world.fake(fakeRun(config())))).map(({ name }) => name)).toEqual([
    "app-web-2",
    "shop-web-1",
  ]);
  expect((await observed(world)).containers.map(({ name }) => name)).toEqual(["app-web-2"]);
});

test("a description that contradicts itself is refused", () => {
  expect(() => aHost().runs(stopped("web", 1))).toThrow("app-web-1 is exited");
  expect(() => aHost().keeps(container("web", 1))).toThrow("app-web-1 is running");
});

test("containers of the same time keep docker's order", async () => {
  const created = "2026-01-01T00:00:00Z";
  const world = aHost().runs(...[3, 1, 2].map((version) => container("web", version, { created })));
  expect((await observed(world)).containers.map(({ name }) => name)).toEqual(["app-web-3", "app-web-1", "app-web-2"]);
});
