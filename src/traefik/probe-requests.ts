import { traefikLabel } from "./labels.ts";
import type { ProbeRequest } from "./replace.ts";

/** The most requests that are sent before and after: enough to check that every provider works. */
const LIMIT = 30;
/** The host for a rule without one. */
const ANY_HOST = "localhost";

type Labels = ReadonlyMap<string, string>;

/** A request for each routing rule: its first host and its first path. */
export function probeRequests(containers: readonly { readonly labels: Labels }[]): ProbeRequest[] {
  const found = new Map<string, ProbeRequest>();
  for (const { labels } of containers) {
    for (const [key, value] of labels) {
      const part = traefikLabel(key, value);
      if (part?.protocol !== "http" || part.section !== "routers" || part.option.toLowerCase() !== "rule") continue;
      const request = probeRequestOf(value);
      found.set(`${request.host} ${request.path}`, request);
    }
  }
  return [...found.values()].slice(0, LIMIT);
}

function probeRequestOf(rule: string): ProbeRequest {
  const host = /\bHost\(\s*[`"]([A-Za-z0-9.-]+)[`"]/.exec(rule)?.[1];
  const path = /\bPath(?:Prefix)?\(\s*[`"](\/[A-Za-z0-9._~/-]*)[`"]/.exec(rule)?.[1];
  return { host: host ?? ANY_HOST, path: path ?? "/" };
}

/**
 * The labels whose router, service or middleware two containers define alike. Never a part of a definition, so that no
 * router loses its authentication. Omits labels that are not Traefik's.
 */
export function sharedDefinitions(labels: Labels, others: Labels): Map<string, string> {
  const mine = definitions(labels);
  const theirs = definitions(others);
  const alike = [...mine].filter(([name, text]) => theirs.get(name) === text).map(([name]) => name);
  return new Map([...labels].filter(([key, value]) => alike.includes(definitionOf(key, value) ?? "")));
}

function definitions(labels: Labels): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of [...labels].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const name = definitionOf(key, value);
    if (name !== undefined) out.set(name, `${out.get(name) ?? ""}${key}=${value}\n`);
  }
  return out;
}

function definitionOf(key: string, value: string): string | undefined {
  const part = traefikLabel(key, value);
  if (part) return `${part.protocol} ${part.section} ${part.name}`;
  return key.toLowerCase().startsWith("traefik.") ? key.toLowerCase() : undefined;
}
