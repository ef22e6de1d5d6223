import { isDeepStrictEqual } from "node:util";
import { type Routed, type Router, partsOf, routersOf, withProvider } from "./routing.ts";

/** How long active clients may take to open a new connection, once the old Traefik sends `Connection: close`. */
export const CLOSING_SECONDS = 5;
const CLOSE = "mrsk-swap-close";

/**
 * Labels of the second Traefik that make the old one send `Connection: close` in every response: for each router of the
 * apps, the same router with a higher priority and that header. Clients then open a new connection, to the second Traefik,
 * instead of losing a request on a kept one. For a Traefik without `keepAliveMaxTime`, as MRSK started it.
 * @param apps the containers that Traefik routes to
 * @param others containers whose routers remain unchanged, such as Traefik itself with its dashboard
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
    // Traefik ignores what two containers define differently, and chooses at random between equal priorities.
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

/** The router's labels that decide which requests it matches, by option. */
function conditionsOf(app: Routed, { name }: Router): [option: string, value: string][] {
  return partsOf(app, "http")
    .filter((part) => part.section === "routers" && part.name === name)
    .filter(({ option }) => !/^(?:priority|service|middlewares)$/i.test(option))
    .map(({ option, value }) => [option, value]);
}
