import { expect, test } from "vitest";
import { closingLabels } from "../../src/traefik/closing-labels.ts";

const RULE = "PathPrefix(`/`)";
const app = (name: string, rule: string, more: Record<string, string> = {}) => ({
  labels: new Map(
    Object.entries({
      service: name,
      [`traefik.http.routers.${name}.rule`]: rule,
      [`traefik.http.services.${name}.loadbalancer.server.port`]: "3000",
      ...more,
    }),
  ),
});
const others = (labels: ReadonlyMap<string, string>) =>
  Object.fromEntries([...labels].filter(([key]) => key.startsWith("traefik.http.routers.")));

test("each router gets a copy with a higher priority that closes the connection", () => {
  const site = app("site-web", RULE, {
    "traefik.http.routers.site-web.entrypoints": "web",
    "traefik.http.routers.site-web.tls.domains[0].main": "site.test",
    "traefik.http.routers.site-web.middlewares": "site-web-retry@docker,login",
    "traefik.http.middlewares.site-web-retry.retry.attempts": "5",
  });
  const labels = closingLabels([site], []);
  expect(others(labels)).toEqual({
    "traefik.http.routers.mrsk-swap-0.rule": RULE,
    "traefik.http.routers.mrsk-swap-0.entrypoints": "web",
    "traefik.http.routers.mrsk-swap-0.tls.domains[0].main": "site.test",
    "traefik.http.routers.mrsk-swap-0.priority": "16",
    "traefik.http.routers.mrsk-swap-0.service": "site-web@docker",
    "traefik.http.routers.mrsk-swap-0.middlewares": "mrsk-swap-close,site-web-retry@docker,login@docker",
  });
  expect(labels.get("traefik.http.middlewares.mrsk-swap-close.headers.customresponseheaders.Connection")).toBe("close");
  expect(labels.get("traefik.enable")).toBe("true");
});

test("containers that define a router alike get one copy; if they differ, Traefik ignores the router, and there is no copy", () => {
  const same = [app("site-web", RULE), app("site-web", RULE)];
  expect(Object.keys(others(closingLabels(same, [])))).toHaveLength(4);
  expect(closingLabels([app("site-web", RULE), app("site-web", "Host(`x`)")], [])).toEqual(new Map());
});

test("no router gets the priority of another: Traefik would choose at random", () => {
  const longer = app("b", `${RULE} `);
  expect(Object.values(others(closingLabels([app("a", RULE), longer], [])))).not.toContain(RULE);
  expect(closingLabels([app("a", RULE)], [longer])).toEqual(new Map());
});

test("without a router there are no labels", () => {
  expect(closingLabels([{ labels: new Map([["service", "jobs"]]) }], [])).toEqual(new Map());
});
