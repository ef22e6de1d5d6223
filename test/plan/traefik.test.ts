import { describe, expect, test } from "vitest";
import type { Traefik } from "../../src/config/config.ts";
import { decideReplacement, decideTraefik, traefikProblems, traefikUsers } from "../../src/plan/traefik.ts";
import { accessory, config, proxy, role } from "../support/config.ts";
import { aHost, TRAEFIK } from "../support/world.ts";

const given = (overrides: Partial<Traefik> = {}) => config({ traefik: { ...config().traefik, ...overrides } });
const withTls = config({ roles: [role({ proxy: proxy({ ssl: "acme", hosts: ["a.b"] }) })] });
const ARGS = TRAEFIK.args;
const behindTraefik = aHost().behindTraefik().facts();
const behindStopped = aHost().behindTraefik({ state: "exited" });

describe("the plan of Traefik", () => {
  test("run if absent, start if stopped, keep if as configured", () => {
    expect(decideTraefik(given(), ARGS, aHost().facts())).toEqual({ action: "run" });
    expect(decideTraefik(given(), ARGS, behindStopped.facts())).toEqual({ action: "start" });
    expect(decideTraefik(given(), ARGS, behindTraefik)).toEqual({ action: "keep", differs: undefined });
  });

  test.each([
    [{ image: "traefik:v3.8.0" }, "its image is traefik:v3.7.15, configured is traefik:v3.8.0"],
    [{ hostPort: 8080 }, "it does not publish 8080"],
    [{ options: new Map([["publish", "443:443"]]) }, "it does not publish 443"],
    [{ labels: new Map([["traefik.enable", "false"]]) }, "its labels differ: traefik.enable"],
  ])("%j is reported", (settings, differs) => {
    expect(decideTraefik(given(settings), ARGS, behindTraefik)).toEqual({ action: "keep", differs });
  });

  test.each([
    [["192.0.2.7"], ["0.0.0.0:80"], "it does not publish 192.0.2.7:80; it publishes 0.0.0.0:80"],
    [["192.0.2.7", "::1"], ["192.0.2.7:80", "::1:80"], undefined],
    [["::1"], ["192.0.2.7:80", "::1:80"], "it publishes 192.0.2.7:80"],
    [[], ["192.0.2.7:80"], "it does not publish 80 at every address"],
    [[], ["0.0.0.0:80", "192.0.2.7:81"], undefined],
  ])("with the addresses %j, a Traefik at %j: %s", (bindIps, ports, differs) => {
    const seen = aHost().behindTraefik({ ports }).facts();
    expect(decideTraefik(given({ bindIps }), ARGS, seen)).toEqual({ action: "keep", differs });
  });

  test("a Traefik without TLS is reported only if a role has certificates", () => {
    const flags = ["--entrypoints.https.address=:443", "--certificatesresolvers.mrsk.acme.keytype=EC256"];
    const wanted = [...ARGS, ...flags];
    expect(decideTraefik(given(), wanted, behindTraefik)).toEqual({ action: "keep", differs: undefined });
    expect(decideTraefik(withTls, wanted, behindTraefik)).toEqual({
      action: "keep",
      differs: `it lacks ${flags.join(" ")}`,
    });
  });

  test("missing and surplus arguments are reported, with the host's variables expanded", () => {
    const seen = aHost()
      .behindTraefik({ args: ["--a=1", "--b"] })
      .with({ expansions: new Map([["N", "1"]]) })
      .facts();
    expect(decideTraefik(given(), ["--a=${N}", "--c"], seen)).toMatchObject({ differs: "it lacks --c; it has --b" });
  });
});

describe("problems of Traefik", () => {
  const run = { action: "run" } as const;

  test("port 443 is needed only if a role has certificates", () => {
    const listeners = new Map([[443, "nginx (process 12)"]]);
    const facts = aHost().with({ listeners }).facts();
    expect(traefikProblems(given(), run, facts)).toEqual([]);
    expect(traefikProblems(withTls, run, facts)).toEqual([
      "port 443, which Traefik needs, is taken by nginx (process 12): stop it",
    ]);
  });

  test("a port in use is reported with the program that uses it, unless Traefik runs", () => {
    const listeners = new Map([
      [80, "nginx (process 12)"],
      [18082, "the container x"],
      [22, "sshd"],
    ]);
    expect(traefikProblems(given(), run, aHost().with({ listeners }).facts())).toEqual([
      "port 80, which Traefik needs, is taken by nginx (process 12): stop it, or set traefik.host_port",
    ]);
    const stopped = behindStopped.with({ listeners }).facts();
    expect(traefikProblems(given(), { action: "start" }, stopped)).toContain(
      "port 18082, which Traefik needs, is taken by the container x: stop it",
    );
    expect(traefikProblems(given(), { action: "none" }, aHost().with({ listeners }).facts())).toEqual([]);
  });

  test("a program at another address of the port is no problem", () => {
    const host = aHost().with({
      listeners: new Map([[80, "nginx (process 12)"]]),
      listenerAddresses: new Map([[80, ["127.0.0.1"]]]),
    });
    expect(traefikProblems(given({ bindIps: ["192.0.2.7"] }), run, host.facts())).toEqual([]);
    const message = "port 80, which Traefik needs, is taken by nginx (process 12): stop it, or set traefik.host_port";
    expect(traefikProblems(given({ bindIps: ["127.0.0.1"] }), run, host.facts())).toEqual([message]);
    const everywhere = host.with({ listenerAddresses: new Map() }).facts();
    expect(traefikProblems(given({ bindIps: ["192.0.2.7"] }), run, everywhere)).toEqual([message]);
  });

  const engine = (engineVersion: string, apiVersion: string, minApiVersion?: string) =>
    aHost().with({ engineVersion, apiVersion, minApiVersion }).facts();
  const bookworm = engine("20.10.24", "1.41", "1.12");
  const v29 = engine("29.0.1", "1.52", "1.44");
  const v293 = engine("29.3.0", "1.54", "1.40");

  test.each([
    ["traefik:v2.9", v29, "which requires API 1.44"],
    ["traefik:v2.9", v293, "which requires API 1.40"],
    ["traefik:v2.11.30", v29, "which requires API 1.44"],
    ["traefik:v3.5.4", v29, "which requires API 1.44"],
    ["docker.io/library/traefik:3.6.0", v29, "which requires API 1.44"],
    ["traefik:v2.9", engine("29.0.0", "1.52"), "which requires API 1.44"],
    ["traefik:v3.7.15", engine("18.09.9", "1.39", "1.12"), "whose API is 1.39"],
  ])("%s is refused on an engine that it cannot talk to", (image, seen, why) => {
    const [problem] = traefikProblems(given({ image }), run, seen);
    expect(problem).toContain(`${image} cannot talk to Docker Engine ${seen.engineVersion}`);
    expect(problem).toContain(why);
    expect(problem).toContain("traefik.image");
  });

  test.each([
    ["traefik:v2.9", bookworm],
    ["traefik:v2.11.31", v29],
    ["traefik:v3.6.1", v29],
    ["traefik:v3.7.15", bookworm],
    ["traefik:v3.7.15", v29],
    ["traefik:v2.11", v29],
    ["traefik:latest", v29],
    ["acme/proxy:v1.0", v29],
    ["registry.example:5000/traefik@sha256:00", v29],
  ])("%s is no problem if the API fits or is unknown", (image, seen) => {
    expect(traefikProblems(given({ image }), run, seen)).toEqual([]);
  });

  test("for an existing Traefik its own image counts", () => {
    const seen = { ...v29, traefik: { ...TRAEFIK, image: "traefik:v2.9", state: "exited" } };
    expect(traefikProblems(given(), { action: "start" }, seen)[0]).toContain("traefik:v2.9 cannot talk to");
  });
});

describe("the replacement of Traefik", () => {
  test("behind a second Traefik if the packet filter can be changed", () => {
    expect(decideReplacement(given(), behindTraefik)).toEqual({
      bridged: true,
      tried: true,
      cost: undefined,
      policy: "unless-stopped",
    });
  });

  test.each([
    [{ redirects: false }, "there is no iptables"],
    [{ redirects: false, root: false, sudo: true }, "there is no iptables"],
    [{ redirects: false, root: false, sudo: false, user: "ada" }, "ada is not root and has no sudo without a password"],
  ])("otherwise the new settings are tried first, and the cost is reported: %j", (overrides, cost) => {
    expect(decideReplacement(given(), { ...behindTraefik, ...overrides })).toMatchObject({
      bridged: false,
      tried: true,
      cost,
    });
  });

  test("a fixed network or address permits only one Traefik", () => {
    const onHost = given({ options: new Map([["network", "host"]]) });
    expect(decideReplacement(onHost, behindTraefik)).toMatchObject({
      bridged: false,
      tried: false,
      cost: "Traefik has the network host",
    });
    const fixed = given({ options: new Map([["ip", "172.30.0.9"]]) });
    expect(decideReplacement(fixed, behindTraefik)).toMatchObject({
      tried: false,
      cost: "Traefik has a fixed address",
    });
  });

  test("without a running Traefik nothing can be lost", () => {
    expect(decideReplacement(given(), behindStopped.facts())).toMatchObject({
      bridged: false,
      tried: false,
      cost: undefined,
    });
  });
});

test("other users of Traefik: services, other destinations, containers without a service; not Traefik itself, not accessories", () => {
  const one = (name: string, labels: Record<string, string>) => ({
    name,
    state: "running",
    labels: new Map(Object.entries({ "traefik.http.routers.x.rule": "Host(`x`)", ...labels })),
  });
  const others = [
    one("app-web-1", { service: "app" }),
    one("app-web-staging-1", { service: "app", destination: "staging" }),
    one("app-db", { service: "app-db" }),
    one("blog-web-1", { service: "blog" }),
    one("blog-web-2", { service: "blog", destination: "" }),
    one("compose-site-1", {}),
    one("traefik", {}),
    { name: "quiet", state: "running", labels: new Map([["service", "quiet"]]) },
  ];
  expect(traefikUsers(config({ accessories: [accessory()] }), others)).toEqual([
    "app (staging)",
    "blog",
    "container compose-site-1",
  ]);
  expect(traefikUsers(config({ destination: "staging" }), others.slice(0, 2))).toEqual(["app (without a destination)"]);
});
