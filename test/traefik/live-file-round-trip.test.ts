import fc from "fast-check";
import { expect, test } from "vitest";
import { containerLabels, roleLabels } from "../../src/traefik/labels.ts";
import { liveFile, type Routed } from "../../src/traefik/live-file.ts";
import { liveServices } from "../../src/traefik/live-file-reader.ts";
import { config, role } from "../support/config.ts";

/** Rules and middlewares as in real configurations, with Go templates and quotes. */
const rule = fc.constantFrom(
  "PathPrefix(`/`)",
  "Host(`a.example`) && PathPrefix(`/{{x}}`)",
  "Host(`it's`)",
  "HostRegexp(`.+`)",
);
const id = fc.stringMatching(/^[0-9a-f]{8}$/);
const roleName = fc.constantFrom("web", "api-v2", "last", "canary");
const destination = fc.constantFrom(undefined, "staging", "last", "canary");
const middleware = fc.constantFrom<[string, string][]>(
  [],
  [["traefik.http.middlewares.auth.basicauth.users", "a:$$2y$$05$$x"]],
  [["traefik.http.middlewares.limit.ratelimit.average", "10"]],
);

test("the reader finds the services that were written", () => {
  const containers = fc.uniqueArray(id, { minLength: 2, maxLength: 2 });
  const percent = fc.integer({ min: 1, max: 99 });
  const state = fc.constantFrom("alone", "last", "canary", "weightless");
  fc.assert(
    fc.property(
      containers,
      roleName,
      destination,
      rule,
      middleware,
      percent,
      state,
      (ids, name, dest, text, more, share, how) => {
        const given = config({ destination: dest });
        const prefix = ["app", name, dest].filter(Boolean).join("-");
        const labels = new Map<string, string>([[`traefik.http.routers.${prefix}.rule`, text], ...more]);
        const [live, other] = ids.map(
          (one): Routed => ({
            labels: containerLabels(roleLabels(given, role({ name, labels })), one),
          }),
        );
        const file = liveFile({
          name: prefix,
          live,
          ...(how === "last" ? { last: other } : {}),
          ...(how === "canary" ? { canary: { container: other!, percent: share } } : {}),
          ...(how === "weightless" ? { canary: { container: other!, percent: 0 } } : {}),
        });
        const [liveService, otherService] = ids.map((one) => `${prefix}-${one}`);
        expect(liveServices(file, prefix)).toEqual({
          live: liveService,
          last: how === "last" ? otherService : undefined,
          canary:
            how === "canary" || how === "weightless"
              ? { service: otherService, percent: how === "canary" ? share : 0 }
              : undefined,
        });
      },
    ),
  );
});

test("a text that is no live file has no services, throws no error, and prints no warning", () => {
  const warned: unknown[] = [];
  const listen = (warning: unknown) => void warned.push(warning);
  process.on("warning", listen);
  const nothing = { live: undefined, canary: undefined, last: undefined };
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(liveServices(text, "app-web")).toEqual(nothing);
    }),
  );
  const shapes = fc.object({
    key: fc.constantFrom("http", "routers", "services", "app-web-aaaaaaaa-canary", "weighted"),
    maxDepth: 5,
  });
  fc.assert(fc.property(shapes, (shape) => void liveServices(JSON.stringify(shape), "app-web")));
  process.off("warning", listen);
  expect(warned).toEqual([]);
});
