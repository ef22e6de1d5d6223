import { ID_LABEL, optionOf, standalonePriority, type TraefikLabel, traefikLabel } from "./labels.ts";

/** A container as the live file knows it: its labels say all. */
export interface Routed {
  readonly labels: ReadonlyMap<string, string>;
}

export type Protocol = TraefikLabel["protocol"];
export type Section = Record<string, unknown>;

/** A router that a container's labels define. */
export interface Router {
  readonly name: string;
  /** When it counts: rule, entryPoints, tls, rule syntax. */
  readonly conditions: Section;
  /** Names as the label has them. */
  readonly middlewares: readonly string[];
  /** What it has when it stands alone. */
  readonly priority: number;
  /** With its provider. */
  readonly service: string;
}

export function partsOf(container: Routed, protocol: Protocol): TraefikLabel[] {
  return Array.from(container.labels).flatMap(([key, value]) => {
    const part = traefikLabel(key, value);
    return part?.protocol === protocol ? [part] : [];
  });
}

/** The container's own id; undefined for one of the original. */
export function idOf(container: Routed): string | undefined {
  return container.labels.get(ID_LABEL);
}

/**
 * The routers of a container, each with the service it leads to: the one it names, the only one there is, or the one that
 * is called like the router. A router without a rule or a service is left out, as Traefik leaves it out.
 */
export function routersOf(container: Routed, protocol: Protocol): Router[] {
  const parts = partsOf(container, protocol);
  const services = names(parts, "services");
  const id = idOf(container);
  // Only then are the label routers one below what they would be.
  const renamed = id !== undefined && services.some((service) => service.endsWith(`-${id}`));
  return names(parts, "routers").flatMap((name) => {
    const router = parts.find((part) => part.section === "routers" && part.name === name)!;
    const own = services.find((service) => service === name || service === `${name}-${id}`);
    const service = optionOf(parts, router, "service") ?? (services.length === 1 ? services[0] : own);
    if (optionOf(parts, router, "rule") === undefined || service === undefined) return [];
    const options = tree(parts.filter((part) => part.section === "routers" && part.name === name));
    return {
      name,
      conditions: conditionsOf(options),
      middlewares: list(valueOf(options, "middlewares")),
      priority: standalonePriority(router, parts, renamed ? 1 : 0),
      service: withProvider(service),
    };
  });
}

/** A name that labels give without saying whose it is means docker's. */
export function withProvider(name: string): string {
  return name.includes("@") ? name : `${name}@docker`;
}

function conditionsOf(options: Section): Section {
  const out = emptySection();
  for (const [key, value] of Object.entries(options)) {
    const option = key.toLowerCase();
    if (["priority", "service", "middlewares"].includes(option)) continue;
    if (option === "entrypoints") out["entryPoints"] = list(value);
    else if (option === "tls") {
      const tls = tlsOf(value);
      if (tls) out["tls"] = tls;
    } else out[option] = value;
  }
  return out;
}

/** `tls=true` is the section without content, `tls=false` none. */
function tlsOf(value: unknown): Section | undefined {
  if (typeof value === "object" && value !== null) return value as Section;
  return String(value).toLowerCase() === "false" ? undefined : {};
}

/** Distinct names of a section, in the order of the labels. */
export function names(parts: readonly TraefikLabel[], section: TraefikLabel["section"]): string[] {
  return [...new Set(parts.filter((part) => part.section === section).map((part) => part.name))];
}

/** The items of a comma list. */
export function list(value: unknown): string[] {
  if (typeof value !== "string") return [];
  return value
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
}

/** The value under a key, whatever its case. */
export function valueOf(section: Section, key: string): unknown {
  return Object.entries(section).find(([name]) => name.toLowerCase() === key)?.[1];
}

/** No option of Traefik has so many parts. */
const DEEPEST = 32;

/** `a.b[0].c=v` → `{ a: { b: [{ c: v }] } }`. A plain `tls=true` beside `tls.domains` gives way to the map. */
export function tree(parts: readonly TraefikLabel[]): Section {
  const root = emptySection();
  for (const { option, value } of parts) {
    const path = option.split(".").flatMap((part) => {
      const indexed = /^(.+)\[(\d+)\]$/.exec(part);
      return indexed ? [indexed[1]!, Number(indexed[2])] : [part];
    });
    if (path.length <= DEEPEST) insert(root, path, value);
  }
  return dense(root) as Section;
}

function insert(target: object, path: readonly (string | number)[], value: string): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  const container = target as Record<string | number, unknown>;
  // Traefik compares option names without regard to case: `Retry.Attempts` and `retry.initialInterval` are one section.
  const known = Object.keys(container).find((key) => key.toLowerCase() === String(first).toLowerCase());
  const key = known ?? first;
  const before = container[key];
  if (rest.length === 0) {
    if (typeof before !== "object") container[key] = value;
    return;
  }
  if (typeof before !== "object" || before === null) container[key] = typeof rest[0] === "number" ? [] : emptySection();
  insert(container[key] as object, rest, value);
}

/** Without a prototype: a label may say `__proto__`. */
function emptySection(): Section {
  return Object.create(null) as Section;
}

/** Lists without holes: a label may start counting at 1, or at four billion, which `filter` would count to. */
function dense(value: unknown): unknown {
  if (Array.isArray(value)) return Object.values(value).map(dense);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, dense(item)]));
}
