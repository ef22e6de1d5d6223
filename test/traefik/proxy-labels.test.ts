import { expect, test } from "vitest";
import { proxyOf } from "../../src/config/proxy.ts";
import type { WrittenProxy } from "../../src/config/schema-proxy.ts";
import { proxyLabels } from "../../src/traefik/proxy-labels.ts";

/** The labels by their names after `traefik.http.`. */
function labelsOf(proxy: WrittenProxy): Record<string, string> {
  const labels = [...proxyLabels("app-web", proxyOf(proxy), ["https"])];
  return Object.fromEntries(labels.map(([label, value]) => [label.replace(/^traefik\.http\./, ""), value]));
}

test("without keys: port 80, every request, the lowest priority", () => {
  expect(labelsOf({})).toEqual({
    "services.app-web.loadbalancer.server.port": "80",
    "routers.app-web.rule": "PathPrefix(`/`)",
    "routers.app-web.priority": "3",
    "middlewares.app-web-forwarded.headers.customrequestheaders.Forwarded": "",
    "routers.app-web.middlewares": "app-web-forwarded@docker,app-web-retry@docker",
  });
});

test("a host, the port of the app, and a prefix that is removed", () => {
  expect(labelsOf({ host: "example.com", app_port: 3000, path_prefix: "/api" })).toEqual({
    "services.app-web.loadbalancer.server.port": "3000",
    "routers.app-web.rule": "(Host(`example.com`)) && (Path(`/api`) || PathPrefix(`/api/`))",
    "routers.app-web.priority": "20004",
    "routers.app-web.middlewares": "app-web-forwarded@docker,app-web-retry@docker,app-web-strip@docker",
    "middlewares.app-web-strip.stripprefix.prefixes": "/api",
    "middlewares.app-web-forwarded.headers.customrequestheaders.Forwarded": "",
  });
});

test("a prefix that the app gets", () => {
  expect(labelsOf({ path_prefix: "/api", strip_path_prefix: false })).toEqual({
    "services.app-web.loadbalancer.server.port": "80",
    "routers.app-web.rule": "Path(`/api`) || PathPrefix(`/api/`)",
    "routers.app-web.priority": "7",
    "middlewares.app-web-forwarded.headers.customrequestheaders.Forwarded": "",
    "routers.app-web.middlewares": "app-web-forwarded@docker,app-web-retry@docker",
  });
});

test("each length of prefix has a router, so that the longest of all apps wins", () => {
  expect(labelsOf({ hosts: ["a.b"], path_prefixes: ["/api", "/api/v2", "/web"] })).toMatchObject({
    "routers.app-web.rule":
      "(Host(`a.b`)) && (Path(`/api`) || PathPrefix(`/api/`) || Path(`/web`) || PathPrefix(`/web/`))",
    "routers.app-web.priority": "20004",
    "routers.app-web-route2.rule": "(Host(`a.b`)) && (Path(`/api/v2`) || PathPrefix(`/api/v2/`))",
    "routers.app-web-route2.priority": "20007",
    "routers.app-web-route2.middlewares": "app-web-forwarded@docker,app-web-retry@docker,app-web-strip@docker",
    "middlewares.app-web-strip.stripprefix.prefixes": "/api/v2,/api,/web",
  });
});

test("a prefix beside every path is removed from the requests below it", () => {
  expect(labelsOf({ host: "a.b", path_prefixes: ["/", "/api"] })).toMatchObject({
    "routers.app-web.rule": "Host(`a.b`)",
    "routers.app-web.priority": "20000",
    "routers.app-web-route2.rule": "(Host(`a.b`)) && (Path(`/api`) || PathPrefix(`/api/`))",
    "routers.app-web-route2.priority": "20004",
    "middlewares.app-web-strip.stripprefix.prefixes": "/api",
  });
});

test("names and wildcards have a router each, so that the name of another app wins over a wildcard", () => {
  expect(labelsOf({ hosts: ["*.c.d", "a.b", "*.e.f"] })).toMatchObject({
    "routers.app-web.rule": "Host(`a.b`)",
    "routers.app-web.priority": "20000",
    "routers.app-web-route2.rule": "HostRegexp(`^[^.]+\\.c\\.d$`) || HostRegexp(`^[^.]+\\.e\\.f$`)",
    "routers.app-web-route2.priority": "10000",
  });
  expect(labelsOf({ host: "*.c.d" })).toMatchObject({ "routers.app-web.priority": "10000" });
});

test("a limit of a body: buffering before retry, with the limit of memory for both sides", () => {
  expect(labelsOf({ path_prefix: "/a", buffering: { max_request_body: 100 } })).toMatchObject({
    "routers.app-web.middlewares":
      "app-web-buffering@docker,app-web-forwarded@docker,app-web-retry@docker,app-web-strip@docker",
    "middlewares.app-web-buffering.buffering.maxrequestbodybytes": "100",
    "middlewares.app-web-buffering.buffering.memrequestbodybytes": "1048576",
    "middlewares.app-web-buffering.buffering.memresponsebodybytes": "1048576",
  });
  const both = labelsOf({ buffering: { max_request_body: 100, max_response_body: 200, memory: 50 } });
  expect(Object.entries(both).filter(([label]) => label.includes(".buffering."))).toEqual([
    ["middlewares.app-web-buffering.buffering.maxrequestbodybytes", "100"],
    ["middlewares.app-web-buffering.buffering.memrequestbodybytes", "50"],
    ["middlewares.app-web-buffering.buffering.maxresponsebodybytes", "200"],
    ["middlewares.app-web-buffering.buffering.memresponsebodybytes", "50"],
  ]);
});

test.each<WrittenProxy["buffering"]>([
  {},
  { requests: true, responses: true, memory: 10 },
  { requests: false, max_request_body: 10 },
  { responses: false, max_response_body: 10 },
  { max_request_body: 0, max_response_body: 0 },
])("no limit, no buffering: %o", (buffering) => {
  expect(Object.keys(labelsOf({ buffering: buffering ?? null })).filter((label) => /buffering/.test(label))).toEqual(
    [],
  );
});

test("with ssl each router has another one for TLS, whose requests are https for the app", () => {
  expect(labelsOf({ hosts: ["a.b", "*.c.d"], ssl: { certificate_pem: "C", private_key_pem: "K" } })).toEqual({
    "services.app-web.loadbalancer.server.port": "80",
    "routers.app-web.rule": "Host(`a.b`)",
    "routers.app-web.priority": "20000",
    "routers.app-web.middlewares": "app-web-forwarded@docker,app-web-retry@docker",
    "routers.app-web-tls.rule": "Host(`a.b`)",
    "routers.app-web-tls.priority": "20000",
    "routers.app-web-tls.middlewares": "app-web-proto@docker,app-web-forwarded@docker,app-web-retry@docker",
    "routers.app-web-tls.entrypoints": "https",
    "routers.app-web-tls.tls": "true",
    "routers.app-web-route2.rule": "HostRegexp(`^[^.]+\\.c\\.d$`)",
    "routers.app-web-route2.priority": "10000",
    "routers.app-web-route2.middlewares": "app-web-forwarded@docker,app-web-retry@docker",
    "routers.app-web-route2-tls.rule": "HostRegexp(`^[^.]+\\.c\\.d$`)",
    "routers.app-web-route2-tls.priority": "10000",
    "routers.app-web-route2-tls.middlewares": "app-web-proto@docker,app-web-forwarded@docker,app-web-retry@docker",
    "routers.app-web-route2-tls.entrypoints": "https",
    "routers.app-web-route2-tls.tls": "true",
    "middlewares.app-web-forwarded.headers.customrequestheaders.Forwarded": "",
    "middlewares.app-web-proto.headers.customrequestheaders.X-Forwarded-Proto": "https",
  });
  expect(labelsOf({ host: "a.b", ssl: true, forward_headers: true })["routers.app-web-tls.middlewares"]).toBe(
    "app-web-forwarded@docker,app-web-retry@docker",
  );
});
