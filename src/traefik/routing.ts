import { ID_LABEL, optionOf, standalonePriority, type TraefikLabel, traefikLabel } from "./labels.ts";

/** A container in a live file: its labels are all that is needed. */
export interface Routed {
  readonly labels: ReadonlyMap<string, string>;
}

export type Protocol = TraefikLabel["protocol"];
export type Section = Record<string, unknown>;

/** A router that a container's labels define. */
export interface Router {
  readonly name: string;
  /** Which requests it matches: rule, entryPoints, tls, rule syntax. */
  readonly conditions: Section;
  /** Names as in the label. */
  readonly middlewares: readonly string[];
  /** Without a live file (`standalonePriority`). */
  readonly priority: number;
  /** Name with its provider: `web@docker`. */
  readonly service: string;
}

export function partsOf(container: Routed, protocol: Protocol): TraefikLabel[] {
  return Array.from(container.labels).flatMap(([key, value]) => {
    const part = traefikLabel(key, value);
    return part?.protocol === protocol ? [part] : [];
  });
}

/** The container's id; undefined for a container of MRSK. */
export function idOf(container: Routed): string | undefined {
  return container.labels.get(ID_LABEL);
}

/**
 * The routers of a container. A router's service is the one it names, or the container's only service, or the service with
 * the router's name. Omits routers without a rule or a service, as Traefik does.
 */
export function routersOf(container: Routed, protocol: Protocol): Router[] {
  const parts = partsOf(container, protocol);
  const services = names(parts, "services");
  const id = idOf(container);
  // Only then has `containerLabels` lowered the priorities of the label routers.
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

/** A name in a label without a provider belongs to docker's. */
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

/** `tls=true` is an empty section, `tls=false` no section. */
function tlsOf(value: unknown): Section | undefined {
  if (typeof value === "object" && value !== null) return value as Section;
  return String(value).toLowerCase() === "false" ? undefined : {};
}

/** Distinct names of a section, in the order of the labels. */
export function names(parts: readonly TraefikLabel[], section: TraefikLabel["section"]): string[] {
  return [...new Set(parts.filter((part) => part.section === section).map((part) => part.name))];
}

/** The items of a comma-separated list. */
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

/** More parts than any option of Traefik has. */
const DEEPEST = 32;

/** `a.b[0].c=v` → `{ a: { b: [{ c: v }] } }`. If there are `tls=true` and `tls.domains`, the map wins. */
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

/** Without a prototype, because a label may contain `__proto__`. */
function emptySection(): Section {
  return Object.create(null) as Section;
}

/** Lists without holes: an index may begin at 1, or at four billion, up to which `filter` would count. */
function dense(value: unknown): unknown {
  if (Array.isArray(value)) return Object.values(value).map(dense);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, dense(item)]));
}
