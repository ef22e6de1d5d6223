import { expect, test } from "vitest";
import { containerLabels, readsVersion3, roleLabels } from "../../src/traefik/labels.ts";
import { config, PROXY, role } from "../support/config.ts";

const ID = "0a1b2c3d";

test("a role's labels have MRSK's order, overridden ones included", () => {
  const web = role({ labels: new Map([["traefik.http.routers.app-web-staging.rule", "Host(`a.b`)"], ["team", "x"]]) }); // biome-ignore format: one line
  expect([...roleLabels(config({ destination: "staging" }), web)]).toEqual([
    ["service", "app"],
    ["role", "web"],
    ["destination", "staging"],
    ["traefik.http.services.app-web-staging.loadbalancer.server.scheme", "http"],
    ["traefik.http.routers.app-web-staging.rule", "Host(`a.b`)"],
    ["traefik.http.middlewares.app-web-staging-retry.retry.attempts", "5"],
    ["traefik.http.middlewares.app-web-staging-retry.retry.initialinterval", "500ms"],
    ["traefik.http.routers.app-web-staging.middlewares", "app-web-staging-retry@docker"],
    ["team", "x"],
  ]);
});

test("a user's label wins whatever the case of its option, key by key", () => {
  const labels = new Map([
    ["traefik.http.routers.app-web.Priority", "7"],
    ["traefik.http.services.app-web.loadBalancer.server.Port", "9000"],
    ["traefik.http.routers.APP-WEB.rule", "Host(`other`)"],
  ]);
  const all = roleLabels(config(), role({ proxy: { ...PROXY, hosts: ["a.b"] }, labels }), { transports: true });
  expect(Object.fromEntries(all)).toEqual({
    service: "app",
    role: "web",
    "traefik.http.services.app-web.loadbalancer.server.scheme": "http",
    "traefik.http.services.app-web.loadbalancer.server.port": "9000",
    "traefik.http.services.app-web.loadbalancer.serverstransport": "app-web-timeout-30s@file",
    "traefik.http.routers.app-web.rule": "Host(`a.b`)",
    "traefik.http.routers.app-web.priority": "7",
    "traefik.http.routers.app-web.middlewares": "app-web-forwarded@docker,app-web-retry@docker",
    "traefik.http.middlewares.app-web-forwarded.headers.customrequestheaders.Forwarded": "",
    "traefik.http.middlewares.app-web-retry.retry.attempts": "5",
    "traefik.http.middlewares.app-web-retry.retry.initialinterval": "500ms",
    "traefik.http.routers.APP-WEB.rule": "Host(`other`)",
  });
});

test("with live files each service has the container's id, and the router one less than its rule's length in bytes", () => {
  expect([...containerLabels(roleLabels(config(), role()), ID)]).toEqual([
    ["mrsk.id", ID],
    ["service", "app"],
    ["role", "web"],
    [`traefik.http.services.app-web-${ID}.loadbalancer.server.scheme`, "http"],
    ["traefik.http.routers.app-web.rule", "PathPrefix(`/`)"],
    ["traefik.http.routers.app-web.priority", "14"],
    ["traefik.http.middlewares.app-web-retry.retry.attempts", "5"],
    ["traefik.http.middlewares.app-web-retry.retry.initialinterval", "500ms"],
    ["traefik.http.routers.app-web.middlewares", "app-web-retry@docker"],
  ]);
});

function labelled(...labels: [string, string][]): Record<string, string> {
  return Object.fromEntries(containerLabels(new Map(labels), ID));
}

test("every option of a service is renamed: otherwise Traefik would ignore the container", () => {
  const labels = labelled(
    ["traefik.http.services.app-web.loadbalancer.server.port", "80"],
    ["traefik.http.services.app-web.loadbalancer.sticky.cookie.name", "c"],
    ["traefik.http.services.app-web.loadbalancer.healthcheck.path", "/up"],
    ["traefik.http.services.other.loadbalancer.passhostheader", "false"],
    ["traefik.tcp.services.app-web.loadbalancer.server.port", "25"],
    ["Traefik.HTTP.Services.app-web.loadbalancer.serverstransport", "t@file"],
  );
  expect(Object.keys(labels)).toEqual([
    "mrsk.id",
    `traefik.http.services.app-web-${ID}.loadbalancer.server.port`,
    `traefik.http.services.app-web-${ID}.loadbalancer.sticky.cookie.name`,
    `traefik.http.services.app-web-${ID}.loadbalancer.healthcheck.path`,
    `traefik.http.services.other-${ID}.loadbalancer.passhostheader`,
    `traefik.tcp.services.app-web-${ID}.loadbalancer.server.port`,
    `traefik.http.services.app-web-${ID}.loadbalancer.serverstransport`,
  ]);
});

test("labels that name a service of the container follow its new name, others do not", () => {
  const labels = labelled(
    ["traefik.http.services.admin.loadbalancer.server.port", "81"],
    ["traefik.http.routers.a.service", "admin"],
    ["traefik.http.routers.b.service", "admin@docker"],
    ["traefik.http.routers.c.service", "api@internal"],
    ["traefik.http.routers.d.service", "foreign"],
    ["traefik.http.middlewares.e.errors.service", "admin"],
  );
  expect(labels).toMatchObject({
    "traefik.http.routers.a.service": `admin-${ID}`,
    "traefik.http.routers.b.service": `admin-${ID}@docker`,
    "traefik.http.routers.c.service": "api@internal",
    "traefik.http.routers.d.service": "foreign",
    "traefik.http.middlewares.e.errors.service": `admin-${ID}`,
  });
});

test.each([
  [[["traefik.http.routers.r.rule", "Host(`é`)"]], "9"],
  [[["traefik.http.routers.r.rule", "Host(`a`)"], ["traefik.http.routers.r.priority", "100"]], "99"], // biome-ignore format: a row
  [[["traefik.http.routers.r.rule", "Host(`abc`)"], ["traefik.http.routers.r.priority", "0"]], "10"], // biome-ignore format: a row
  // Never 0, which means not set, nor 1, the priority of a stopped app's router.
  [[["traefik.http.routers.r.rule", "Host(`abc`)"], ["traefik.http.routers.r.priority", "1"]], "2"], // biome-ignore format: a row
  // Above 9223372036854774807 Traefik ignores the router.
  [[["traefik.http.routers.r.rule", "Host(`abc`)"], ["traefik.http.routers.r.priority", "9223372036854775807"]], "7999999999999999"], // biome-ignore format: a row
] as [[string, string][], string][])(
  "the label router's priority is one below what it would be: %j",
  (labels, expected) => {
    expect(labelled(...labels)["traefik.http.routers.r.priority"]).toBe(expected);
  },
);

test("the catch-all rule of TCP is below every rule that names a host", () => {
  expect(labelled(["traefik.tcp.routers.r.rule", "HostSNI(`*`)"])["traefik.tcp.routers.r.priority"]).toBe("2");
  expect(labelled(["traefik.tcp.routers.r.rule", "HostSNI(`a.b`)"])["traefik.tcp.routers.r.priority"]).toBe("13");
});

test("a rule of version 2 gets its rule syntax, except for an image of version 2", () => {
  const web = role({ labels: new Map([["traefik.http.routers.app-web.rule", "Host(`a.b`,`c.d`)"]]) });
  const of = (image: string) => roleLabels(config({ traefik: { ...config().traefik, image } }), web);
  expect(of("traefik:v3.7.15").get("traefik.http.routers.app-web.rulesyntax")).toBe("v2");
  expect(of("traefik:v2.10").has("traefik.http.routers.app-web.rulesyntax")).toBe(false);
});

test.each([
  ["Host(`a`, `b`)", true],
  ['PathPrefix("/a","/b")', true],
  ["HostHeader(`a`)", true],
  ["Headers(`X`, `y`)", true],
  ["HostRegexp(`{sub:[a-z]+}.example.com`)", true],
  ["Path(`/users/{id}`)", true],
  ["Query(`a=b`)", true],
  ["Host(`a`) || Host(`b`)", false],
  ["Header(`X`, `y`)", false],
  ["Query(`a`, `b`)", false],
  ["HostRegexp(`^[a-z]{2,3}\\.example\\.com$`)", false],
  ["PathPrefix(`/`)", false],
])("%s needs version 2: %s", (rule, expected) => {
  const web = role({ labels: new Map([["traefik.http.routers.app-web.rule", rule]]) });
  expect(roleLabels(config(), web).has("traefik.http.routers.app-web.rulesyntax")).toBe(expected);
});

test.each([
  ["traefik:v3.7.15", true],
  ["traefik:3", true],
  ["traefik", true],
  ["traefik:latest", true],
  ["registry.example.com:5000/proxy/traefik:v2.11", false],
  ["registry.example.com:5000/proxy/traefik", true],
  ["traefik:v2.9", false],
])("%s reads version 3: %s", (image, expected) => {
  expect(readsVersion3(image)).toBe(expected);
});
