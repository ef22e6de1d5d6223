import { stringify } from "yaml";
import { ID_LABEL, type TraefikLabel, traefikLabel } from "./labels.ts";

/** A container as the live file knows it: its labels say all. */
export interface Routed {
  readonly labels: ReadonlyMap<string, string>;
}

/** How the preview is asked for, and what its answers carry. */
export interface Preview {
  /** Unguessable: `<random>.mrsk`. */
  readonly hostName: string;
  /** `ID.COUNTER`: new with every file, so that an answer tells which file is loaded. */
  readonly mark: string;
  /** What the app sees as Host: `localhost:PORT`. */
  readonly appHost: string;
}

export interface LiveFile {
  /** What all names begin with: `S-R[-D]`. */
  readonly name: string;
  /** undefined before the first deploy. */
  readonly live: Routed | undefined;
  /** The container that goes: routed one below the live one until it is stopped. */
  readonly last?: Routed;
  readonly preview?: Preview & { readonly container: Routed };
}

type Section = Record<string, unknown>;

/** Below Traefik's own limit, and exact as a JavaScript number. */
const PREVIEW_PRIORITY = 9_000_000_000_000_000;

/**
 * The text of a live file. Sections without content are left out (Traefik refuses them), `{{` is escaped (the files are
 * Go templates), every name begins with the role's, all but the live router's with the container's.
 */
export function liveFile(file: LiveFile): string {
  const http: Record<"routers" | "middlewares" | "services", Section> = { routers: {}, middlewares: {}, services: {} };
  const tcp: Record<"routers" | "middlewares" | "services", Section> = { routers: {}, middlewares: {}, services: {} };
  for (const protocol of ["http", "tcp"] as const) {
    const section = protocol === "http" ? http : tcp;
    const lastRouters = file.last ? routersOf(file.last, protocol) : new Map<string, Router>();
    const live = file.live;
    const liveRouters = live ? routersOf(live, protocol) : new Map<string, Router>();
    const top = Math.max(0, ...[...lastRouters.values()].map((router) => router.priority + 1));
    for (const [name, router] of liveRouters) {
      if (!live) break;
      const priority = file.last ? Math.max(router.priority + 1, top) : router.priority;
      section.routers[name] = routerSection(file, live, router, priority);
      if (protocol === "http") {
        // A stopped app answers 503: this router is left when the live one's service is gone.
        const stopped = `${own(file, live)}-${name}-stopped`;
        section.routers[stopped] = { ...conditions(router), priority: 1, service: stopped };
        section.services[stopped] = { loadBalancer: { servers: [] } };
      }
    }
    if (file.last) {
      for (const [name, router] of lastRouters) {
        const priority = Math.max(1, Math.max(liveRouters.get(name)?.priority ?? 0, router.priority));
        section.routers[`${own(file, file.last)}-${name}-last`] = routerSection(file, file.last, router, priority);
      }
    }
    for (const container of [file.live, file.last]) {
      if (container) Object.assign(section.middlewares, middlewaresOf(file, container, protocol));
    }
  }
  if (file.preview) addPreview(file, file.preview, http);
  return escapeTemplates(stringify(withoutEmpty({ http, tcp }), { lineWidth: 0 }));
}

function addPreview(file: LiveFile, preview: NonNullable<LiveFile["preview"]>, http: Record<string, Section>): void {
  const name = own(file, preview.container);
  const first = [...routersOf(preview.container, "http").values()][0];
  http["routers"]![`${name}-preview`] = {
    rule: `Host(\`${preview.hostName}\`)`,
    priority: PREVIEW_PRIORITY,
    entryPoints: ["mrsk"],
    service: first?.service,
    middlewares: [`${name}-mark`],
  };
  http["middlewares"]![`${name}-mark`] = {
    headers: {
      customRequestHeaders: { Host: preview.appHost },
      customResponseHeaders: { "X-Mrsk-Live": preview.mark },
    },
  };
}

interface Router {
  readonly options: Section;
  /** What it has when it stands alone. */
  readonly priority: number;
  readonly service: string;
}

/** The routers a container's labels define, with the service each leads to. */
function routersOf(container: Routed, protocol: "http" | "tcp"): Map<string, Router> {
  const labels = labelsOf(container, protocol);
  const services = [...new Set(labels.filter((label) => label.section === "services").map((label) => label.name))];
  const routers = new Map<string, Router>();
  for (const name of new Set(labels.filter((label) => label.section === "routers").map((label) => label.name))) {
    const mine = labels.filter((label) => label.section === "routers" && label.name === name);
    const value = (option: string) => mine.find((label) => label.option.toLowerCase() === option)?.value;
    const rule = value("rule");
    const named = value("service") ?? (services.length === 1 ? services[0] : undefined);
    if (rule === undefined || named === undefined) continue;
    const given = Number(value("priority") ?? 0);
    const below = container.labels.has(ID_LABEL) ? 1 : 0;
    const priority = given === 0 ? Buffer.byteLength(rule) : given + below;
    routers.set(name, {
      options: nested(mine.filter((label) => !["priority", "service"].includes(label.option.toLowerCase()))),
      priority,
      service: named.includes("@") ? named : `${named}@docker`,
    });
  }
  return routers;
}

function routerSection(file: LiveFile, container: Routed, router: Router, priority: number): Section {
  const { middlewares, ...options } = conditionsAndMore(router);
  const names = typeof middlewares === "string" ? middlewares.split(",").map((name) => name.trim()) : [];
  return {
    ...options,
    priority,
    service: router.service,
    ...(names.length > 0 ? { middlewares: names.map((name) => middlewareReference(file, container, name)) } : {}),
  };
}

function conditionsAndMore(router: Router): Section {
  const out: Section = {};
  for (const [key, value] of Object.entries(router.options)) {
    const lower = key.toLowerCase();
    if (lower === "tls") out["tls"] = value === "true" ? {} : value;
    else if (lower === "entrypoints")
      out["entryPoints"] = String(value)
        .split(",")
        .map((name) => name.trim());
    else if (lower === "middlewares") out["middlewares"] = value;
    else out[lower === "rulesyntax" ? "ruleSyntax" : key] = value;
  }
  return out;
}

/** When a router counts, without what it does then. */
function conditions(router: Router): Section {
  const { middlewares: _, ...rest } = conditionsAndMore(router);
  return rest;
}

function labelsOf(container: Routed, protocol: "http" | "tcp"): TraefikLabel[] {
  return [...container.labels].flatMap(([key, value]) => {
    const label = traefikLabel(key, value);
    return label?.protocol === protocol ? [label] : [];
  });
}

/** `N-ID`; a container of the original has no id and is `N-original`. */
function own(file: LiveFile, container: Routed): string {
  return `${file.name}-${container.labels.get(ID_LABEL) ?? "original"}`;
}

function middlewaresOf(file: LiveFile, container: Routed, protocol: "http" | "tcp"): Section {
  const labels = labelsOf(container, protocol).filter((label) => label.section === "middlewares");
  const out: Section = {};
  for (const name of new Set(labels.map((label) => label.name))) {
    const options = nested(labels.filter((label) => label.name === name));
    out[middlewareName(file, container, name)] = mapReferences(options, (reference) =>
      middlewareReference(file, container, reference),
    );
  }
  return out;
}

function middlewareName(file: LiveFile, container: Routed, name: string): string {
  const short = name.startsWith(`${file.name}-`) ? name.slice(file.name.length + 1) : name;
  return `${own(file, container)}-${short}`;
}

/** A middleware of this container under its name in the file; any other is docker's unless it says whose. */
function middlewareReference(file: LiveFile, container: Routed, reference: string): string {
  const [name = "", provider] = reference.split("@");
  const defined = [...container.labels].some(([key, value]) => {
    const label = traefikLabel(key, value);
    return label?.section === "middlewares" && label.name === name;
  });
  if (defined && (provider === undefined || provider === "docker")) return middlewareName(file, container, name);
  return provider === undefined ? `${name}@docker` : reference;
}

/** `chain.middlewares` and `errors.service` name other things too. */
function mapReferences(options: Section, refer: (name: string) => string): Section {
  const chain = options["chain"] as Section | undefined;
  if (typeof chain?.["middlewares"] === "string") {
    chain["middlewares"] = chain["middlewares"].split(",").map((name) => refer(name.trim()));
  }
  const errors = options["errors"] as Section | undefined;
  if (typeof errors?.["service"] === "string" && !errors["service"].includes("@")) {
    errors["service"] = `${errors["service"]}@docker`;
  }
  return options;
}

/** `a.b[0].c=v` → `{ a: { b: [{ c: v }] } }`. A plain `tls=true` beside `tls.domains` gives way to the map. */
function nested(labels: readonly TraefikLabel[]): Section {
  const root: Section = {};
  for (const { option, value } of labels) {
    const path = option.split(".").flatMap((part) => {
      const indexed = /^(.+)\[(\d+)\]$/.exec(part);
      return indexed ? [indexed[1]!, Number(indexed[2])] : [part];
    });
    insert(root, path, value);
  }
  return root;
}

function insert(target: Section | unknown[], path: readonly (string | number)[], value: string): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  const container = target as Record<string | number, unknown>;
  if (rest.length === 0) {
    if (typeof container[key] !== "object") container[key] = value;
    return;
  }
  if (typeof container[key] !== "object") container[key] = typeof rest[0] === "number" ? [] : {};
  insert(container[key] as Section, rest, value);
}

function withoutEmpty(protocols: Record<string, Record<string, Section>>): Record<string, unknown> {
  const out: Record<string, Record<string, Section>> = {};
  for (const [protocol, sections] of Object.entries(protocols)) {
    for (const [section, content] of Object.entries(sections)) {
      if (Object.keys(content).length > 0) (out[protocol] ??= {})[section] = content;
    }
  }
  return out;
}

function escapeTemplates(text: string): string {
  return text.replaceAll("{{", "{{`{{`}}");
}
