import { isDeepStrictEqual } from "node:util";
import { type Routed, type Router, partsOf, routersOf, withProvider } from "./routing.ts";

/** As long as whoever is at work may take to come over, once the old Traefik says so. */
export const CLOSING_SECONDS = 5;
const CLOSE = "mrsk-swap-close";

/**
 * Labels for the second Traefik that make the first one say `Connection: close` in every answer: a router above each of
 * the apps' own, the same but for that. Whoever has kept a connection then comes anew, to the second one, instead of
 * having it closed under the next request. For a Traefik that does not say so by itself, as the original's.
 * @param apps the containers that it routes to
 * @param others containers with routers that are left alone, such as its own for the dashboard
 */
export function closingLabels(apps: readonly Routed[], others: readonly Routed[]): Map<string, string> {
  const found = apps.flatMap((app) =>
    routersOf(app, "http").map((router) => ({ router, conditions: conditionsOf(app, router) })),
  );
  const taken = new Set(
    [...found.map(({ router }) => router), ...others.flatMap((one) => routersOf(one, "http"))].map(
      ({ priority }) => priority,
    ),
  );
  const labels = new Map<string, string>();
  for (const [i, name] of [...new Set(found.map(({ router }) => router.name))].entries()) {
    const [first, ...more] = found.filter(({ router }) => router.name === name);
    const { router, conditions } = first!;
    const priority = router.priority + 1;
    // Traefik drops what two containers define differently, and between equal priorities it chooses at random.
    if (more.some((other) => !isDeepStrictEqual(other, first)) || taken.has(priority)) continue;
    const prefix = `traefik.http.routers.mrsk-swap-${i}`;
    for (const [option, value] of conditions) labels.set(`${prefix}.${option}`, value);
    labels.set(`${prefix}.priority`, String(priority));
    labels.set(`${prefix}.service`, router.service);
    labels.set(`${prefix}.middlewares`, [CLOSE, ...router.middlewares.map(withProvider)].join(","));
  }
  if (labels.size === 0) return labels;
  labels.set("traefik.enable", "true");
  return labels.set(`traefik.http.middlewares.${CLOSE}.headers.customresponseheaders.Connection`, "close");
}

/** The router's labels that say when it counts, by option. */
function conditionsOf(app: Routed, { name }: Router): [option: string, value: string][] {
  return partsOf(app, "http")
    .filter((part) => part.section === "routers" && part.name === name)
    .filter(({ option }) => !/^(?:priority|service|middlewares)$/i.test(option))
    .map(({ option, value }) => [option, value]);
}
