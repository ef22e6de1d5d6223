import { expect, test } from "vitest";
import { probeRequests, sharedDefinitions } from "../../src/traefik/probe-requests.ts";

const labels = (...pairs: [string, string][]) => new Map(pairs);
const rule = (name: string, text: string) => ({ labels: labels([`traefik.http.routers.${name}.rule`, text]) });

test("each rule gets one request, for its first host and path", () => {
  const requests = probeRequests([
    rule("a", "Host(`a.example`, `b.example`) && PathPrefix(`/api`)"),
    rule("b", "Host(`a.example`) && Path(`/api`)"),
    rule("c", "PathPrefix(`/`)"),
    rule("d", "HostRegexp(`.+`)"),
    { labels: labels(["traefik.tcp.routers.e.rule", "HostSNI(`*`)"], ["service", "x"]) },
  ]);
  expect(requests).toEqual([
    { host: "a.example", path: "/api" },
    { host: "localhost", path: "/" },
  ]);
});

test("a host or path with special characters of the shell gets no request", () => {
  expect(probeRequests([rule("a", "Host(`a b;c`) && PathPrefix(`/x y`)")])).toEqual([{ host: "localhost", path: "/" }]);
});

test("there are no more than thirty requests", () => {
  expect(probeRequests(Array.from({ length: 99 }, (_, i) => rule("a", `Host(\`h${i}\`)`)))).toHaveLength(30);
});

test("equal definitions are shared completely: a router whose authentication changed is not", () => {
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

test.each(["/v29", "/a.b_c~d-e/F"])("the path %s of a rule is the path of its request", (path) => {
  expect(probeRequests([rule("a", `PathPrefix(\`${path}\`)`)])).toEqual([{ host: "localhost", path }]);
});
