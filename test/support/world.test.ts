import { expect, test } from "vitest";
import { neighbours } from "../../src/observe/neighbours.ts";
import { observe } from "../../src/observe/facts.ts";
import { config } from "./config.ts";
import { fakeRun } from "./fake-run.ts";
import { aHost, container, containerOfMrsk, stopped, type World } from "./world.ts";

const QUESTION = { service: "app", expansions: ["A"], releasesFile: "r", runDirectory: ".mrsk", image: "app:1" };
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
  const wanted = { ...world.facts(), expansions: new Map([["A", "b c"]]) };
  const fake = world.with({ expansions: wanted.expansions }).fake(fakeRun(config()));
  expect(await observe(fake, QUESTION)).toEqual(wanted);
});

test("a neighbour is a container of the host, but not of the service", async () => {
  const shop = { name: "shop-web-1", labels: { service: "shop" } };
  const fake = aHost().runs(live).besides(shop).fake(fakeRun(config()));
  expect((await neighbours(fake)).map(({ name }) => name)).toEqual(["app-web-2", "shop-web-1"]);
  expect((await observe(fake, QUESTION)).containers.map(({ name }) => name)).toEqual(["app-web-2"]);
});

test("a description that contradicts itself is refused", () => {
  expect(() => aHost().runs(stopped("web", 1))).toThrow("app-web-1 is exited");
  expect(() => aHost().keeps(container("web", 1))).toThrow("app-web-1 is running");
});
