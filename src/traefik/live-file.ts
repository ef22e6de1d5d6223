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

/** How the preview is asked for, and what its answers carry. */
interface Preview {
  /** Unguessable: `<random>.mrsk`. */
  readonly hostName: string;
  /** `ID.COUNTER`: new with every file, so that an answer tells which file is loaded. */
  readonly mark: string;
  /** What the app sees as Host: `localhost:PORT`. */
  readonly appHost: string;
}

/** A new version on trial. */
export interface Canary {
  readonly container: Routed;
  /** Of the requests, 0 to 99. With 0 it is on its way out, and the file still says so until it has stopped. */
  readonly percent: number;
}

/**
 * What a live file says. The states of a cutover: the live one and the preview of the next; the next live, the old one
 * last, the preview of the next; the next live alone. Of an app that stops: the live one closed, then alone.
 */
export interface LiveFile {
  /** What all names begin with: `S-R[-D]`. */
  readonly name: string;
  /** undefined before the first deploy. */
  readonly live: Routed | undefined;
  /** The live one gets no new requests: they are answered with 503, what is under way stays with it. */
  readonly closed?: boolean;
  /** The container that goes: routed below the live one until it is stopped. */
  readonly last?: Routed | undefined;
  /** The container that has a share of the live one's requests. */
  readonly canary?: Canary | undefined;
  readonly preview?: Preview & { readonly container: Routed };
}

interface Sections {
  readonly routers: Section;
  readonly middlewares: Section;
  readonly services: Section;
}

/** Below Traefik's own limit, above `standalonePriority`'s, and exact as a JavaScript number. */
const PROBE_PRIORITY = 9_000_000_000_000_000;
/** Below every other: reached when no container of the app is there. */
const STOPPED_PRIORITY = 1;

/** First line of a closed file: one that is found with its container running was left by a stop that was cut off. */
const CLOSED = "# closed";

export function isClosed(text: string): boolean {
  return text.startsWith(CLOSED);
}

/**
 * The text of a live file. Sections without content are left out (Traefik refuses them), `{{` is escaped (the files are
 * Go templates). Names are global over all files: each begins with the role's, all but the live router's with the
 * container's.
 */
export function liveFile(file: LiveFile): string {
  const sections = { http: protocolSections(file, "http"), tcp: protocolSections(file, "tcp") };
  if (file.preview) addProbeRouter(file, file.preview, sections.http);
  const text = escapeTemplates(stringify(withoutEmpty(sections), { lineWidth: 0, aliasDuplicateObjects: false }));
  return file.closed ? `${CLOSED}\n${text}` : text;
}

function protocolSections(file: LiveFile, protocol: Protocol): Sections {
  const sections: Sections = { routers: {}, middlewares: {}, services: {} };
  const { live, canary } = file;
  const last = canary?.container ?? file.last;
  const liveRouters = live ? routersOf(live, protocol) : [];
  const lastRouters = last ? routersOf(last, protocol) : [];
  const beside = last ?? (file.preview && file.preview.container !== live ? file.preview.container : undefined);
  const besideRouters = beside ? routersOf(beside, protocol) : [];
  const raise = raiseAbove(liveRouters, besideRouters);
  for (const router of live ? liveRouters : []) {
    const name = router.name === file.name ? file.name : `${own(file, live!)}-${router.name}`;
    sections.routers[name] = routerSection(file, live!, router, router.priority + raise);
    const other = canary && lastRouters.find((candidate) => candidate.name === router.name);
    if (other && canary.percent > 0) addShares(file, name, router, { canary, other, protocol }, sections);
    if (protocol === "http") addStopped(file, live!, router, raise, sections);
  }
  const sink = sinkBelow(lastRouters, liveRouters);
  for (const router of last ? lastRouters : []) {
    const name = `${suffixed(own(file, last!), file, router)}-${canary ? "canary" : "last"}`;
    sections.routers[name] = routerSection(file, last!, router, router.priority + sink);
  }
  for (const container of [live, last]) {
    if (container) Object.assign(sections.middlewares, middlewaresOf(file, container, protocol));
  }
  return sections;
}

// With one router each, the live one has one more than the larger of both, and the other that minus one; with several,
// every live router is above every old one, and each side keeps its own order. An old router above a live one would go
// on serving the old version: its rule may be the longer one.

function raiseAbove(routers: readonly Router[], others: readonly Router[]): number {
  if (routers.length === 0 || others.length === 0) return 0;
  return Math.max(0, highest(others) - lowest(routers)) + 1;
}

function sinkBelow(routers: readonly Router[], others: readonly Router[]): number {
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
 * The live router shares its requests by weight; who has got a version stays with it by a cookie of the session. Traefik
 * drops the router whole while one of the two services is missing, as after a crash of the canary: the same router
 * without shares is one below it then.
 */
function addShares(
  file: LiveFile,
  name: string,
  router: Router,
  { canary, other, protocol }: { canary: Canary; other: Router; protocol: Protocol },
  { routers, services }: Sections,
): void {
  const alone = routers[name] as Section & { priority: number };
  const shares = `${suffixed(own(file, canary.container), file, router)}-canary`;
  routers[name] = { ...alone, priority: alone.priority + 1, service: shares };
  routers[`${suffixed(own(file, file.live!), file, router)}-alone`] = alone;
  const cookie = { name: `mrsk-canary-${idOf(canary.container)}`, httpOnly: true };
  services[shares] = {
    weighted: {
      services: [
        { name: router.service, weight: 100 - canary.percent },
        { name: other.service, weight: canary.percent },
      ],
      ...(protocol === "http" ? { sticky: { cookie } } : {}),
    },
  };
}

/** A stopped app answers 503, not 404: this router is left when the live one's service is gone; a closed one is above it. */
function addStopped(file: LiveFile, live: Routed, router: Router, raise: number, sections: Sections): void {
  const name = `${suffixed(own(file, live), file, router)}-stopped`;
  // One that shares its requests has one more.
  const priority = file.closed ? router.priority + raise + 2 : STOPPED_PRIORITY;
  sections.routers[name] = { ...router.conditions, priority, service: name };
  sections.services[name] = { loadBalancer: { servers: [] } };
}

function addProbeRouter(file: LiveFile, preview: NonNullable<LiveFile["preview"]>, http: Sections): void {
  const name = own(file, preview.container);
  const routers = routersOf(preview.container, "http");
  const router = routers.find((other) => other.name === file.name) ?? routers[0];
  if (!router) return;
  http.routers[`${name}-preview`] = {
    rule: `Host(\`${preview.hostName}\`)`,
    priority: PROBE_PRIORITY,
    entryPoints: ["mrsk"],
    service: router.service,
    middlewares: [`${name}-mark`],
  };
  http.middlewares[`${name}-mark`] = {
    headers: {
      customRequestHeaders: { Host: preview.appHost },
      customResponseHeaders: { "X-Mrsk-Live": preview.mark },
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

/** `N-ID`; a container of the original has no id and is `N-original`. */
function own(file: LiveFile, container: Routed): string {
  return `${file.name}-${idOf(container) ?? "original"}`;
}

function suffixed(base: string, file: LiveFile, router: Router): string {
  return router.name === file.name ? base : `${base}-${router.name}`;
}

/** All that the labels define, per container, so that differing labels cannot clash. */
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
  // Ours has that name.
  return `${own(file, container)}-${short === "mark" ? "user-mark" : short}`;
}

/** A middleware of this container under its name in the file; any other is docker's unless it says whose. */
function middlewareReference(file: LiveFile, container: Routed, reference: string): string {
  const [name = "", provider] = reference.split("@");
  const defined = (["http", "tcp"] as const).some((protocol) =>
    names(partsOf(container, protocol), "middlewares").includes(name),
  );
  if (defined && (provider === undefined || provider === "docker")) return middlewareName(file, container, name);
  return withProvider(reference);
}

/** A label says `compress=true` for what a file says as `compress: {}`. */
function emptySections(options: Section): Section {
  const says = (value: unknown, word: string) => typeof value === "string" && value.toLowerCase() === word;
  const kept = Object.entries(options).filter(([, value]) => !says(value, "false"));
  return Object.fromEntries(kept.map(([key, value]) => [key, says(value, "true") ? {} : value]));
}

/** `chain.middlewares` and `errors.service` name other things too. */
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
