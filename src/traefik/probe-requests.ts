import { traefikLabel } from "./labels.ts";
import type { ProbeRequest } from "./replace.ts";

/** As many as are asked before and after: enough to see that every provider has answered. */
const LIMIT = 30;
/** Of a rule that names no host. */
const ANY_HOST = "localhost";

type Labels = ReadonlyMap<string, string>;

/** A request for each routing rule that plain requests can meet: its first host and its first path. */
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
 * Labels of what two containers define alike: whole routers, services and middlewares, never a part of one, so that no
 * router is left without its login. Labels that define nothing of Traefik's are left out.
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
