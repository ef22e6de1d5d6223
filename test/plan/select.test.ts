import { describe, expect, test } from "vitest";
import { accessoryHosts, type Filters, findAccessory, select, toPattern } from "../../src/plan/select.ts";
import { configOf } from "../config/from-yaml.ts";

const config = await configOf(`
service: app
image: dhh/app
registry: { username: u, password: [P] }
servers:
  web: [web-1, web-2]
  workers: { hosts: [worker-1, web-2] }
accessories:
  db: { image: postgres:14, hosts: [db-1, db-2] }
`);
const filters = (more: Partial<Filters> = {}): Filters => ({
  hosts: undefined,
  roles: undefined,
  primary: false,
  ...more,
});
const chosen = (more: Partial<Filters>) => {
  const { app, traefik, primary } = select(config, filters(more));
  return {
    app: app.map(({ host, roles }) => `${host}: ${roles.map(({ name }) => name).join(" ")}`),
    traefik,
    primary,
  };
};

describe("the hosts and roles that a command acts on", () => {
  test("without filters, everything", () => {
    expect(chosen({})).toEqual({
      app: ["web-1: web", "web-2: web workers", "worker-1: workers"],
      traefik: ["web-1", "web-2"],
      primary: "web-1",
    });
  });

  test.each<[string, Partial<Filters>, string[], string[], string]>([
    ["a host", { hosts: ["web-2"] }, ["web-2: web workers"], ["web-2"], "web-2"],
    ["a role", { roles: ["workers"] }, ["web-2: workers", "worker-1: workers"], [], "web-2"],
    ["a wildcard", { hosts: ["web-*"] }, ["web-1: web", "web-2: web workers"], ["web-1", "web-2"], "web-1"],
    ["several", { hosts: ["{web,worker}-1"] }, ["web-1: web", "worker-1: workers"], ["web-1"], "web-1"],
    ["one letter", { hosts: ["web-?"], roles: ["work*"] }, ["web-2: workers"], [], "web-2"],
    ["the primary host", { primary: true, hosts: ["worker-1"] }, ["web-1: web"], ["web-1"], "web-1"],
    ["a host of an accessory alone", { hosts: ["db-1"] }, [], [], "web-1"],
  ])("%s", (_, more, app, traefik, primary) => {
    expect(chosen(more)).toEqual({ app, traefik, primary });
  });

  test("the primary host is the first of the primary role, even if another role's hosts come first", async () => {
    const shared = await configOf(`
service: app
image: dhh/app
registry: { username: u, password: [P] }
servers: { jobs: [both-1], web: [web-1, both-1, app@web-2:2222] }
`);
    expect(select(shared, filters()).primary).toBe("web-1");
    expect(select(shared, filters({ hosts: ["*:2222", "both-1"] })).primary).toBe("both-1");
    expect(select(shared, filters({ hosts: ["app@web-2:2222"] })).app.map(({ host }) => host)).toEqual([
      "app@web-2:2222",
    ]);
  });

  test.each<[string, Partial<Filters>, string[]]>([
    ["everything", {}, ["web-1", "search-1"]],
    ["its host", { hosts: ["search-1"] }, ["search-1"]],
    ["another host", { hosts: ["web-1"] }, ["web-1"]],
    ["a role", { roles: ["web"] }, ["web-1"]],
    ["the primary host", { primary: true }, ["web-1"]],
  ])("Traefik runs on the hosts of an accessory with proxy: %s", async (_, more, traefik) => {
    const routed = await configOf(`
service: app
image: dhh/app
registry: { username: u, password: [P] }
builder: { arch: amd64 }
servers: [web-1]
accessories:
  search: { image: search, host: search-1, proxy: { host: a.b } }
  db: { image: postgres:14, host: db-1 }
`);
    expect(select(routed, filters(more)).traefik).toEqual(traefik);
  });

  test.each<[string, Partial<Filters>, string, string]>([
    ["hosts", { hosts: ["web-1", "nosuch"] }, "No --hosts match for nosuch", "web-1, web-2, worker-1, db-1, db-2"],
    ["roles", { roles: ["nosuch"] }, "No --roles match for nosuch", "web, workers"],
    [
      "both",
      { hosts: ["worker-1"], roles: ["web"] },
      "--hosts and --roles together select no host",
      "web: web-1, web-2; workers",
    ],
  ])("a filter of %s that matches nothing is an error that lists the existing names", (_, more, message, hint) => {
    expect(() => chosen(more)).toThrowError(
      expect.objectContaining({ message: expect.stringContaining(message), hint: expect.stringContaining(hint) }),
    );
  });

  test("--hosts filters an accessory's hosts, and an unknown accessory is an error that lists the accessories", () => {
    const db = findAccessory(config, "db");
    expect(accessoryHosts(db, filters())).toEqual(["db-1", "db-2"]);
    expect(accessoryHosts(db, filters({ hosts: ["*-2"] }))).toEqual(["db-2"]);
    expect(() => findAccessory(config, "dbb")).toThrowError(
      expect.objectContaining({ message: "No accessory by the name of 'dbb'", hint: "There is: db." }),
    );
  });
});

test("several stars in a row match like one", () => {
  expect(toPattern(`${"*".repeat(40)}x`).test("abcdefghijklmnopqrstuvwyz0123456789")).toBe(false);
  expect(toPattern("a***c").test("abc")).toBe(true);
});
