import { stringify } from "yaml";
import {
  idOf,
  list,
  names,
  partsOf,
  type Protocol,
  type Routed,
  type Router,
  routersOf,
  type Section,
  tree,
  valueOf,
  withProvider,
} from "./routing.ts";

export type { Routed } from "./routing.ts";

/** The probe route: what requests it matches, and what its responses carry. */
interface Probe {
  /** Random, so that no other client reaches it: `<random>.mrsk`. */
  readonly hostName: string;
  /** `ID.COUNTER`: changes with every file, so that a response shows which file Traefik has loaded. */
  readonly revision: string;
  /** The header Host that the app receives: `localhost:PORT`. */
  readonly appHost: string;
}

/** A weighted canary. */
export interface Canary {
  readonly container: Routed;
  /** Of the requests, 0 to 99. 0 while the canary is being removed. */
  readonly percent: number;
}

/**
 * The content of a live file. The files of a deploy: live is the old container, probe the next one; live and probe are the
 * next container, last is the old one; live is the next container alone. The files of an app that stops: live is closed,
 * then alone.
 */
export interface LiveFile {
  /** The prefix of all names: `S-R[-D]`. */
  readonly name: string;
  /** undefined before the first deploy. */
  readonly live: Routed | undefined;
  /** New requests get 503. The live container finishes its open requests. */
  readonly closed?: boolean;
  /** New requests get 503, whatever else the file says, until `app live`. */
  readonly maintenance?: boolean;
  /** The stopping container. Its routers have a lower priority than the live ones until it has stopped. */
  readonly last?: Routed | undefined;
  /** The container that gets a percentage of the requests. */
  readonly canary?: Canary | undefined;
  readonly probe?: Probe & { readonly container: Routed };
}

interface Sections {
  readonly routers: Section;
  readonly middlewares: Section;
  readonly services: Section;
}

/** Below Traefik's own limit, above `standalonePriority`'s, and exact as a JavaScript number. */
const PROBE_PRIORITY = 9_000_000_000_000_000;
/** Below every other priority: matches only if no container of the app runs. */
const STOPPED_PRIORITY = 1;

/** First line of a closed file. If its container runs, an interrupted stop has left the file. */
const CLOSED = "# closed";

export function isClosed(text: string): boolean {
  return text.startsWith(CLOSED);
}

/** The line of the file of an app in maintenance, after that of a closed file. */
const MAINTENANCE = "# maintenance";

export function isInMaintenance(text: string): boolean {
  return text.split("\n", 2).includes(MAINTENANCE);
}

/**
 * The text of a live file, without empty sections (Traefik refuses them) and with `{{` escaped (live files are Go
 * templates). Names are global over all files, so each begins with the role's name and, except the live router's, with the
 * container's id.
 */
export function liveFile(file: LiveFile): string {
  const sections = { http: protocolSections(file, "http"), tcp: protocolSections(file, "tcp") };
  if (file.probe) addProbeRouter(file, file.probe, sections.http);
  const text = escapeTemplates(stringify(withoutEmpty(sections), { lineWidth: 0, aliasDuplicateObjects: false }));
  return [...(file.closed ? [CLOSED] : []), ...(file.maintenance ? [MAINTENANCE] : []), text].join("\n");
}

function protocolSections(file: LiveFile, protocol: Protocol): Sections {
  const sections: Sections = { routers: {}, middlewares: {}, services: {} };
  const { live, canary } = file;
  const last = canary?.container ?? file.last;
  const liveRouters = live ? routersOf(live, protocol) : [];
  const lastRouters = last ? routersOf(last, protocol) : [];
  const otherContainer = last ?? (file.probe && file.probe.container !== live ? file.probe.container : undefined);
  const otherRouters = otherContainer ? routersOf(otherContainer, protocol) : [];
  const raise = raiseAbove(liveRouters, otherRouters);
  for (const router of live ? liveRouters : []) {
    const name = router.name === file.name ? file.name : `${own(file, live!)}-${router.name}`;
    sections.routers[name] = routerSection(file, live!, router, router.priority + raise);
    const other = canary && lastRouters.find((candidate) => candidate.name === router.name);
    if (other && canary.percent > 0) addWeights(file, name, router, { canary, other, protocol }, sections);
    if (protocol === "http") addStopped(file, live!, router, raise, sections);
  }
  const lastRaise = raiseBelow(lastRouters, liveRouters);
  for (const router of last ? lastRouters : []) {
    const name = `${suffixed(own(file, last!), file, router)}-${canary ? "canary" : "last"}`;
    sections.routers[name] = routerSection(file, last!, router, router.priority + lastRaise);
  }
  for (const container of [live, last]) {
    if (container) Object.assign(sections.middlewares, middlewaresOf(file, container, protocol));
  }
  return sections;
}

// Every live router gets a higher priority than every old one, and each container's routers keep their order. Otherwise
// an old router with a longer rule would still win, and serve the old version. With one router each, the old one gets the
// larger priority of both, and the live one gets one more.

function raiseAbove(routers: readonly Router[], others: readonly Router[]): number {
  if (routers.length === 0 || others.length === 0) return 0;
  return Math.max(0, highest(others) - lowest(routers)) + 1;
}

function raiseBelow(routers: readonly Router[], others: readonly Router[]): number {
  if (routers.length === 0 || others.length === 0) return 0;
  return Math.max(0, lowest(others) - highest(routers));
}

function lowest(routers: readonly Router[]): number {
  return Math.min(...routers.map((router) => router.priority));
}

function highest(routers: readonly Router[]): number {
  return Math.max(...routers.map((router) => router.priority));
}

/**
 * Makes the live router split its requests by weight. A session cookie keeps each client on its version. Traefik ignores a
 * weighted router if one of its services is missing, as after a crash of the canary, so the unweighted router remains,
 * with one priority less.
 */
function addWeights(
  file: LiveFile,
  name: string,
  router: Router,
  { canary, other, protocol }: { canary: Canary; other: Router; protocol: Protocol },
  { routers, services }: Sections,
): void {
  const alone = routers[name] as Section & { priority: number };
  const weighted = `${suffixed(own(file, canary.container), file, router)}-canary`;
  routers[name] = { ...alone, priority: alone.priority + 1, service: weighted };
  routers[`${suffixed(own(file, file.live!), file, router)}-alone`] = alone;
  const cookie = { name: `mrsk-canary-${idOf(canary.container)}`, httpOnly: true };
  services[weighted] = {
    weighted: {
      services: [
        { name: router.service, weight: 100 - canary.percent },
        { name: other.service, weight: canary.percent },
      ],
      ...(protocol === "http" ? { sticky: { cookie } } : {}),
    },
  };
}

/**
 * Makes a stopped app answer 503 instead of 404: a router below the live one, or above it if the file is closed or the app
 * is in maintenance.
 */
function addStopped(file: LiveFile, live: Routed, router: Router, raise: number, sections: Sections): void {
  const name = `${suffixed(own(file, live), file, router)}-stopped`;
  // A weighted router has one more than its unweighted one.
  const priority = file.closed || file.maintenance ? router.priority + raise + 2 : STOPPED_PRIORITY;
  sections.routers[name] = { ...router.conditions, priority, service: name };
  sections.services[name] = { loadBalancer: { servers: [] } };
}

function addProbeRouter(file: LiveFile, probe: NonNullable<LiveFile["probe"]>, http: Sections): void {
  const name = own(file, probe.container);
  const routers = routersOf(probe.container, "http");
  const router = routers.find((other) => other.name === file.name) ?? routers[0];
  if (!router) return;
  http.routers[`${name}-probe`] = {
    rule: `Host(\`${probe.hostName}\`)`,
    priority: PROBE_PRIORITY,
    entryPoints: ["mrsk"],
    service: router.service,
    middlewares: [`${name}-probe`],
  };
  http.middlewares[`${name}-probe`] = {
    headers: {
      customRequestHeaders: { Host: probe.appHost },
      customResponseHeaders: { "X-Mrsk-Live": probe.revision },
    },
  };
}

function routerSection(file: LiveFile, container: Routed, router: Router, priority: number): Section {
  const middlewares = router.middlewares.map((name) => middlewareReference(file, container, name));
  return {
    ...router.conditions,
    priority,
    service: router.service,
    ...(middlewares.length > 0 ? { middlewares } : {}),
  };
}

/** `N-ID`; `N-original` for a container of MRSK, which has no id. */
function own(file: LiveFile, container: Routed): string {
  return `${file.name}-${idOf(container) ?? "original"}`;
}

function suffixed(base: string, file: LiveFile, router: Router): string {
  return router.name === file.name ? base : `${base}-${router.name}`;
}

/** All middlewares that the labels define, with the container's id in their names: labels of two versions may differ. */
function middlewaresOf(file: LiveFile, container: Routed, protocol: Protocol): Section {
  const parts = partsOf(container, protocol).filter((part) => part.section === "middlewares");
  const out: Section = {};
  for (const name of names(parts, "middlewares")) {
    const options = emptySections(tree(parts.filter((part) => part.name === name)));
    out[middlewareName(file, container, name)] = withReferences(options, (reference) =>
      middlewareReference(file, container, reference),
    );
  }
  return out;
}

function middlewareName(file: LiveFile, container: Routed, name: string): string {
  const short = name.startsWith(`${file.name}-`) ? name.slice(file.name.length + 1) : `own-${name}`;
  // mrsk's own middleware has that name.
  return `${own(file, container)}-${short === "probe" ? "user-probe" : short}`;
}

/** A middleware of this container by its name in the file; any other with its provider, docker by default. */
function middlewareReference(file: LiveFile, container: Routed, reference: string): string {
  const [name = "", provider] = reference.split("@");
  const defined = (["http", "tcp"] as const).some((protocol) =>
    names(partsOf(container, protocol), "middlewares").includes(name),
  );
  if (defined && (provider === undefined || provider === "docker")) return middlewareName(file, container, name);
  return withProvider(reference);
}

/** A label `compress=true` is `compress: {}` in a file. */
function emptySections(options: Section): Section {
  const equals = (value: unknown, word: string) => typeof value === "string" && value.toLowerCase() === word;
  const kept = Object.entries(options).filter(([, value]) => !equals(value, "false"));
  return Object.fromEntries(kept.map(([key, value]) => [key, equals(value, "true") ? {} : value]));
}

/** Rewrites the names in `chain.middlewares` and `errors.service` too. */
function withReferences(options: Section, refer: (name: string) => string): Section {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => {
      if (typeof value !== "object" || value === null) return [key, value];
      const section = value as Section;
      if (key.toLowerCase() === "chain") {
        return [key, { middlewares: list(valueOf(section, "middlewares")).map(refer) }];
      }
      const service = valueOf(section, "service");
      if (key.toLowerCase() !== "errors" || typeof service !== "string" || service.includes("@")) return [key, value];
      const others = Object.entries(section).filter(([name]) => name.toLowerCase() !== "service");
      return [key, { ...Object.fromEntries(others), service: withProvider(service) }];
    }),
  );
}

function withoutEmpty(protocols: Record<Protocol, Sections>): Record<string, Record<string, Section>> {
  const out: Record<string, Record<string, Section>> = {};
  for (const [protocol, sections] of Object.entries(protocols)) {
    for (const [section, content] of Object.entries(sections)) {
      if (Object.keys(content as Section).length > 0) (out[protocol] ??= {})[section] = content as Section;
    }
  }
  return out;
}

function escapeTemplates(text: string): string {
  return text.replaceAll("{{", "{{`{{`}}");
}
