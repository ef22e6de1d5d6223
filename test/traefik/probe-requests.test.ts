import { expect, test } from "vitest";
import { probeRequests, sharedDefinitions } from "../../src/traefik/probe-requests.ts";

const labels = (...pairs: [string, string][]) => new Map(pairs);
const rule = (name: string, text: string) => ({ labels: labels([`traefik.http.routers.${name}.rule`, text]) });

test("each rule is asked for by its first host and path, once", () => {
  const asked = probeRequests([
    rule("a", "Host(`a.example`, `b.example`) && PathPrefix(`/api`)"),
    rule("b", "Host(`a.example`) && Path(`/api`)"),
    rule("c", "PathPrefix(`/`)"),
    rule("d", "HostRegexp(`.+`)"),
    { labels: labels(["traefik.tcp.routers.e.rule", "HostSNI(`*`)"], ["service", "x"]) },
  ]);
  expect(asked).toEqual([
    { host: "a.example", path: "/api" },
    { host: "localhost", path: "/" },
  ]);
});

test("a word that a shell could misread is not asked for", () => {
  expect(probeRequests([rule("a", "Host(`a b;c`) && PathPrefix(`/x y`)")])).toEqual([{ host: "localhost", path: "/" }]);
});

test("no more than thirty are asked", () => {
  expect(probeRequests(Array.from({ length: 99 }, (_, i) => rule("a", `Host(\`h${i}\`)`)))).toHaveLength(30);
});

test("what two define alike is shared as a whole: a router whose login changed is not", () => {
  const before = labels(
    ["traefik.http.routers.dash.rule", "Host(`d`)"],
    ["traefik.http.routers.dash.middlewares", "login"],
    ["traefik.http.middlewares.login.basicauth.users", "a:b"],
    ["traefik.enable", "true"],
    ["owner", "ops"],
  );
  expect([...sharedDefinitions(before, before).keys()]).toEqual([...before.keys()].slice(0, 4));
  const after = new Map(before).set("traefik.http.middlewares.login.basicauth.users", "a:c");
  after.delete("traefik.http.routers.dash.middlewares");
  expect([...sharedDefinitions(before, after).keys()]).toEqual(["traefik.enable"]);
});
