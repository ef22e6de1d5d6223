import type { Config, Role } from "../config/config.ts";
import { containerPrefix } from "./names.ts";

/** Label of an app container: its own eight hex digits, part of its Traefik service's name. */
export const ID_LABEL = "mrsk.id";

/**
 * The labels the original gives a role's containers, in its order: service, role, destination, Traefik's, the user's.
 * A label of the user's keeps the place of the one it overrides.
 */
export function roleLabels(config: Config, role: Role): Map<string, string> {
  const labels = new Map([
    ["service", config.service],
    ["role", role.name],
  ]);
  if (config.destination !== undefined) labels.set("destination", config.destination);
  if (role.traefik) {
    const name = containerPrefix(config, role);
    labels.set(`traefik.http.services.${name}.loadbalancer.server.scheme`, "http");
    labels.set(`traefik.http.routers.${name}.rule`, "PathPrefix(`/`)");
    labels.set(`traefik.http.middlewares.${name}-retry.retry.attempts`, "5");
    labels.set(`traefik.http.middlewares.${name}-retry.retry.initialinterval`, "500ms");
    labels.set(`traefik.http.routers.${name}.middlewares`, `${name}-retry@docker`);
  }
  for (const [name, value] of role.labels) labels.set(name, value);
  if (role.traefik && readsVersion3(config.traefik.image)) addRuleSyntax(labels);
  return labels;
}

/** Whether an image is Traefik 3 or newer; one without a readable version counts as new. */
export function readsVersion3(image: string): boolean {
  const major = /:v?(\d+)/.exec(image.slice(image.lastIndexOf("/") + 1))?.[1];
  return major === undefined || Number(major) >= 3;
}

/** Traefik 3 goes on reading rules that only version 2 knew when the router says so. */
function addRuleSyntax(labels: Map<string, string>): void {
  for (const [name, value] of [...labels]) {
    const router = /^(traefik\.(?:http|tcp)\.routers\.[^.]+)\.rule$/i.exec(name)?.[1];
    if (!router || !isVersion2Rule(value)) continue;
    const key = `${router}.rulesyntax`;
    if (![...labels.keys()].some((other) => other.toLowerCase() === key.toLowerCase())) labels.set(key, "v2");
  }
}

const VERSION_2_ONLY = [
  /\b(?:Host|HostSNI|Path|PathPrefix|Method|ClientIP)\(\s*`[^`]*`\s*,/,
  /\b(?:HostHeader|Headers|HeadersRegexp)\(/,
  /\b(?:Host|Path|PathPrefix|HostRegexp)\(\s*`[^`]*\{[^`}]*\}/,
];

/** Several values in one matcher, matchers that were renamed, and `{name:regexp}` in a path or host. */
export function isVersion2Rule(rule: string): boolean {
  return VERSION_2_ONLY.some((pattern) => pattern.test(rule));
}

const LABEL = /^traefik\.(http|tcp)\.(routers|services|middlewares)\.([^.]+)\.(.+)$/i;

/** One Traefik label, taken apart. `section` and `protocol` are lower case, the rest as written. */
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
 * The labels of one container beside live files: every service under a name of its own (`X-ID`), since two containers
 * that share one would share its requests, and label routers one below their priority, so that the file decides.
 */
export function containerLabels(labels: ReadonlyMap<string, string>, id: string): Map<string, string> {
  const out = new Map([[ID_LABEL, id]]);
  for (const [key, value] of labels) {
    const label = traefikLabel(key, value);
    if (label?.section === "services") {
      out.set(`traefik.${label.protocol}.services.${label.name}-${id}.${label.option}`, value);
    } else if (label?.section === "routers" && label.option.toLowerCase() === "service" && !value.includes("@")) {
      out.set(key, `${value}-${id}`);
    } else if (label?.section === "routers" && label.option.toLowerCase() === "priority") {
      continue;
    } else {
      out.set(key, value);
    }
    if (label?.section === "routers" && label.option.toLowerCase() === "rule") {
      const priority = givenPriority(labels, label) ?? Buffer.byteLength(value);
      out.set(`traefik.${label.protocol}.routers.${label.name}.priority`, String(Math.max(1, priority - 1)));
    }
  }
  return out;
}

function givenPriority(labels: ReadonlyMap<string, string>, router: TraefikLabel): number | undefined {
  const key = `traefik.${router.protocol}.routers.${router.name}.priority`.toLowerCase();
  const value = [...labels].find(([name]) => name.toLowerCase() === key)?.[1];
  return value === undefined || Number(value) === 0 ? undefined : Number(value);
}
