import type { Accessory, Config, Proxy, Role } from "../config/config.ts";
import { containerPrefix } from "../config/names.ts";
import { entryPointsOf } from "./entry-points.ts";
import { proxyLabels, transportLabel } from "./proxy-labels.ts";

/** Label of an app container: its id, eight hex digits, part of the name of its Traefik service. */
export const ID_LABEL = "mrsk.id";

/**
 * The labels that MRSK gives a role's containers, in MRSK's order: service, role, destination, Traefik's, the user's. A
 * user's label that overrides another one keeps its place.
 * @param transports whether a live file defines transports, so that a label can name one
 */
export function roleLabels(config: Config, role: Role, { transports = false } = {}): Map<string, string> {
  const labels = new Map([
    ["service", config.service],
    ["role", role.name],
  ]);
  if (config.destinationLabel !== undefined) labels.set("destination", config.destinationLabel);
  const name = containerPrefix(config, role);
  if (role.traefik) for (const [key, value] of routingLabels(config, name, role.proxy)) labels.set(key, value);
  const limit = role.proxy?.responseTimeoutSeconds;
  if (role.traefik && transports && limit) labels.set(...transportLabel(name, limit));
  for (const [key, value] of role.labels) labels.set(sameLabel(key, labels), value);
  if (role.traefik && readsVersion3(config.traefik.image)) addRuleSyntax(labels);
  return labels;
}

/** The labels of an accessory's container: service, Traefik's if it has a section `proxy`, the user's. */
export function accessoryLabels(config: Config, { labels: own, proxy, service }: Accessory): Map<string, string> {
  const labels = new Map([["service", service], ...(proxy ? routingLabels(config, service, proxy) : [])]);
  for (const [key, value] of own) labels.set(sameLabel(key, labels), value);
  if (proxy && readsVersion3(config.traefik.image)) addRuleSyntax(labels);
  return labels;
}

/** @param name of the router and the service */
function routingLabels(config: Config, name: string, proxy: Proxy | undefined): Map<string, string> {
  return new Map([
    [`traefik.http.services.${name}.loadbalancer.server.scheme`, "http"],
    [`traefik.http.routers.${name}.rule`, "PathPrefix(`/`)"],
    [`traefik.http.middlewares.${name}-retry.retry.attempts`, "5"],
    [`traefik.http.middlewares.${name}-retry.retry.initialinterval`, "500ms"],
    [`traefik.http.routers.${name}.middlewares`, `${name}-retry@docker`],
    ...(proxy ? proxyLabels(name, proxy, entryPointsOf(config).tls) : []),
  ]);
}

/** The label as `labels` has it: Traefik compares the options of a router or service without regard to case. */
function sameLabel(label: string, labels: ReadonlyMap<string, string>): string {
  if (labels.has(label)) return label;
  const normal = normalized(label);
  return [...labels.keys()].find((other) => normalized(other) === normal) ?? label;
}

function normalized(label: string): string {
  const part = traefikLabel(label, "");
  return part ? [part.protocol, part.section, part.name, part.option.toLowerCase()].join(".") : label;
}

/** Whether an image is Traefik 3 or newer. An image without a version number counts as newer. */
export function readsVersion3(image: string): boolean {
  const major = /:v?(\d+)/.exec(image.slice(image.lastIndexOf("/") + 1))?.[1];
  return major === undefined || Number(major) >= 3;
}

/** Traefik 3 still reads rules of version 2 if the router has `rulesyntax=v2`. */
function addRuleSyntax(labels: Map<string, string>): void {
  for (const [name, value] of labels) {
    const router = /^(traefik\.(?:http|tcp)\.routers\.[^.]+)\.rule$/i.exec(name)?.[1];
    if (!router || !isVersion2Rule(value)) continue;
    const key = `${router}.rulesyntax`;
    if (![...labels.keys()].some((other) => other.toLowerCase() === key.toLowerCase())) labels.set(key, "v2");
  }
}

const VERSION_2_ONLY = [
  /\b(?:Host|HostRegexp|HostSNI|Path|PathPrefix|Method|ClientIP)\(\s*(?:`[^`]*`|"[^"]*")\s*,/,
  /\b(?:HostHeader|Headers|HeadersRegexp)\(/,
  /\b(?:Host|Path|PathPrefix|HostRegexp)\(\s*[`"][^`"]*\{[A-Za-z_][A-Za-z0-9_-]*(?::[^`"]*)?\}/,
  /\bQuery\(\s*[`"][^`"=]+=/,
];

/** Whether a rule uses syntax of version 2: several values in a matcher, renamed matchers, `{name:regexp}` in a path or host. */
function isVersion2Rule(rule: string): boolean {
  return VERSION_2_ONLY.some((pattern) => pattern.test(rule));
}

const LABEL = /^traefik\.(http|tcp)\.(routers|services|middlewares)\.([^.]+)\.(.+)$/i;

/** A parsed Traefik label. `section` and `protocol` are lower case, the rest as written. */
export interface TraefikLabel {
  readonly protocol: "http" | "tcp";
  readonly section: "routers" | "services" | "middlewares";
  readonly name: string;
  readonly option: string;
  readonly value: string;
}

/** @returns undefined for a label that defines no router, service or middleware */
export function traefikLabel(key: string, value: string): TraefikLabel | undefined {
  const match = LABEL.exec(key);
  if (!match) return undefined;
  return {
    protocol: match[1]!.toLowerCase() as TraefikLabel["protocol"],
    section: match[2]!.toLowerCase() as TraefikLabel["section"],
    name: match[3]!,
    option: match[4]!,
    value,
  };
}

/**
 * The labels of one container on a host with live files. Its services get unique names (`X-ID`), because containers with
 * the same service share its requests. Its routers get one less than their priority, so that the live file's routers win.
 */
export function containerLabels(labels: ReadonlyMap<string, string>, id: string): Map<string, string> {
  const parts = [...labels].flatMap(([key, value]) => traefikLabel(key, value) ?? []);
  const owns = (protocol: string, service: string) =>
    parts.some((part) => part.section === "services" && part.protocol === protocol && part.name === service);
  const out = new Map([[ID_LABEL, id]]);
  for (const [key, value] of labels) {
    const part = traefikLabel(key, value);
    const option = part?.option.toLowerCase();
    if (part?.section === "services") {
      out.set(`traefik.${part.protocol}.services.${part.name}-${id}.${part.option}`, value);
    } else if (part && namesService(part) && owns(part.protocol, value.replace(/@docker$/, ""))) {
      out.set(
        key,
        value.replace(/(?:@docker)?$/, (provider) => `-${id}${provider}`),
      );
    } else if (part?.section === "routers" && option === "priority" && ruleOf(parts, part) !== undefined) {
      continue;
    } else {
      out.set(key, value);
    }
    if (part?.section === "routers" && option === "rule") {
      const priority = standalonePriority(part, parts) - 1;
      out.set(`traefik.${part.protocol}.routers.${part.name}.priority`, String(priority));
    }
  }
  return out;
}

/** Whether the label's value is the name of a service. */
function namesService({ section, option }: TraefikLabel): boolean {
  const path = option.toLowerCase();
  return (section === "routers" && path === "service") || (section === "middlewares" && path === "errors.service");
}

// Below it there must be room for the router of a stopped app, at 1. Traefik treats 0 as not set.
const LOWEST = 3;
// Exact as a JavaScript number, below the probe router's priority and below Traefik's own limit.
const HIGHEST = 8_000_000_000_000_000;

/**
 * The priority of a router without a live file: that of its label, or else the rule's length in bytes, as in Traefik.
 * Limited so that other routers fit above and below.
 * @param lowered by how much `containerLabels` has lowered the label
 */
export function standalonePriority(router: TraefikLabel, labels: readonly TraefikLabel[], lowered = 0): number {
  const given = Number(optionOf(labels, router, "priority") ?? 0);
  const rule = ruleOf(labels, router) ?? "";
  // Traefik gives the catch-all rule of TCP the priority −1, after every other rule.
  const natural =
    router.protocol === "tcp" && /^HostSNI\(\s*[`"]\*[`"]\s*\)$/i.test(rule) ? LOWEST : Buffer.byteLength(rule);
  return Math.min(HIGHEST, Math.max(LOWEST, Number.isFinite(given) && given !== 0 ? given + lowered : natural));
}

function ruleOf(labels: readonly TraefikLabel[], router: TraefikLabel): string | undefined {
  return optionOf(labels, router, "rule");
}

/** The value of another option of the same router, service or middleware. */
export function optionOf(labels: readonly TraefikLabel[], of: TraefikLabel, option: string): string | undefined {
  return labels.find(
    (other) =>
      other.protocol === of.protocol &&
      other.section === of.section &&
      other.name === of.name &&
      other.option.toLowerCase() === option,
  )?.value;
}
