import { stringify } from "yaml";
import { PROBE_ENTRY_POINT } from "../shell/constants.ts";
import type { Section } from "./routing.ts";

/** The names and entry points of a role with TLS on one host. */
export interface SecuredRole {
  /** The prefix of all names: `S-R[-D]`. */
  readonly name: string;
  readonly hostNames: readonly string[];
  /** Traefik's rule for the role's requests. */
  readonly rule: string;
  readonly plainEntryPoints: readonly string[];
  readonly tlsEntryPoints: readonly string[];
  /** Addresses of the other hosts that serve the same names: a challenge may reach any of them. */
  readonly peers: readonly string[];
  /** The port of the hosts for TLS. */
  readonly port: number;
}

/** A certificate of the user's, in PEM: the certificate with those between it and the authority, and its key. */
export interface OwnCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** What the certificate file of a role contains. */
export interface CertificateContent {
  /** Random: responses to `markerPath(marker)` carry it, which shows that the names lead to this Traefik. */
  readonly marker?: string | undefined;
  /** Whether Traefik requests a certificate from the authority. */
  readonly requests?: boolean;
  /** Whether challenges of the authority reach Traefik's resolver: for requests, and for renewals afterwards. */
  readonly challenges?: boolean;
  /** Whether requests without TLS are redirected, with the status 301 or 308. */
  readonly redirects?: boolean;
  readonly own?: OwnCertificate | undefined;
}

/** The resolver of Traefik that mrsk configures. */
export const RESOLVER = "mrsk";
export const MARKER_HEADER = "X-Mrsk-Marker";

const CHALLENGES = "/.well-known/acme-challenge/";
/** A request that another host has forwarded already: it is not forwarded again. */
const HOP_HEADER = "X-Mrsk-Hop";

// Above the routers of the live files and below their probe routers. Exact as JavaScript numbers.
const REDIRECT_PRIORITY = 8_500_000_000_000_000;
const CHALLENGE_PRIORITY = 8_900_000_000_000_000;

/** The file of a role. No live file has this name: names of services, roles and destinations contain no `@`. */
export function certificateFileName(name: string): string {
  return `${name}@tls`;
}

export function markerPath(marker: string): string {
  return `${CHALLENGES}mrsk-${marker}`;
}

/** The text of the file; undefined if it would have no content, which Traefik refuses. */
export function certificateFile(role: SecuredRole, content: CertificateContent): string | undefined {
  const http: { routers: Section; middlewares: Section; services: Section; serversTransports: Section } = {
    routers: {},
    middlewares: {},
    services: {},
    serversTransports: {},
  };
  if (content.marker !== undefined) addMarker(role, content.marker, http);
  if (content.challenges) addChallenges(role, http);
  if (content.requests) addRequest(role, http);
  if (content.redirects) addRedirect(role, http);
  const sections = Object.fromEntries(Object.entries(http).filter(([, section]) => Object.keys(section).length > 0));
  const { own } = content;
  const tls = own && { certificates: [{ certFile: own.certificate, keyFile: own.privateKey }] };
  if (Object.keys(sections).length === 0 && !tls) return undefined;
  const text = stringify(
    { ...(Object.keys(sections).length > 0 ? { http: sections } : {}), ...(tls ? { tls } : {}) },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  // The files are Go templates.
  return text.replaceAll("{{", "{{`{{`}}");
}

interface Http {
  readonly routers: Section;
  readonly middlewares: Section;
  readonly services: Section;
  readonly serversTransports: Section;
}

function hostRule({ hostNames }: SecuredRole): string {
  return hostNames.map((host) => `Host(\`${host}\`)`).join(" || ");
}

function addMarker(role: SecuredRole, marker: string, { routers, middlewares }: Http): void {
  routers[`${role.name}-marker`] = {
    rule: `(${hostRule(role)}) && Path(\`${markerPath(marker)}\`)`,
    entryPoints: role.plainEntryPoints,
    priority: CHALLENGE_PRIORITY + 2,
    service: "noop@internal",
    middlewares: [`${role.name}-marker`],
  };
  middlewares[`${role.name}-marker`] = { headers: { customResponseHeaders: { [MARKER_HEADER]: marker } } };
}

/**
 * Traefik answers challenges on the probe entry point, so that one that reaches another host of the role can be forwarded:
 * each host tries its own Traefik first, then the next one. The header keeps two hosts from forwarding in a circle.
 */
function addChallenges(role: SecuredRole, { routers, services, middlewares, serversTransports }: Http): void {
  const { name, peers, plainEntryPoints } = role;
  const rule = `(${hostRule(role)}) && PathPrefix(\`${CHALLENGES}\`)`;
  services[`${name}-acme-0`] = { loadBalancer: { servers: [{ url: `http://127.0.0.1:${PROBE_ENTRY_POINT}` }] } };
  for (const [index, peer] of peers.entries()) {
    services[`${name}-acme-${index + 1}`] = {
      loadBalancer: { servers: [{ url: `http://${peer}` }], serversTransport: `${name}-acme` },
    };
  }
  const last = peers.length;
  for (let index = last - 1; index >= 0; index--) {
    const fallback = index + 1 === last ? `${name}-acme-${last}` : `${name}-acme-from-${index + 1}`;
    services[`${name}-acme-from-${index}`] = {
      failover: { service: `${name}-acme-${index}`, fallback, errors: { status: ["404", "502-504"] } },
    };
  }
  const router = { rule, entryPoints: plainEntryPoints, priority: CHALLENGE_PRIORITY };
  if (last === 0) {
    routers[`${name}-acme`] = { ...router, service: `${name}-acme-0` };
    return;
  }
  serversTransports[`${name}-acme`] = { forwardingTimeouts: { dialTimeout: "1s" } };
  middlewares[`${name}-acme-hop`] = { headers: { customRequestHeaders: { [HOP_HEADER]: "1" } } };
  routers[`${name}-acme`] = { ...router, service: `${name}-acme-from-0`, middlewares: [`${name}-acme-hop`] };
  routers[`${name}-acme-hop`] = {
    ...router,
    rule: `${rule} && Header(\`${HOP_HEADER}\`, \`1\`)`,
    priority: CHALLENGE_PRIORITY + 1,
    service: `${name}-acme-0`,
  };
}

/**
 * The router that makes Traefik request a certificate. It is separate from those of the app, since Traefik repeats a
 * request that failed at every change of its configuration, and the authority limits failed requests.
 */
function addRequest(role: SecuredRole, { routers }: Http): void {
  const [main, ...sans] = role.hostNames;
  routers[`${role.name}-request`] = {
    rule: `(${hostRule(role)}) && Path(\`/.well-known/mrsk-certificate\`)`,
    entryPoints: role.tlsEntryPoints,
    priority: CHALLENGE_PRIORITY,
    service: "noop@internal",
    tls: { certResolver: RESOLVER, domains: [{ main, ...(sans.length > 0 ? { sans } : {}) }] },
  };
}

function addRedirect(role: SecuredRole, { routers, middlewares }: Http): void {
  const { name, rule, plainEntryPoints, port } = role;
  routers[`${name}-redirect`] = {
    rule,
    entryPoints: plainEntryPoints,
    priority: REDIRECT_PRIORITY,
    service: "noop@internal",
    middlewares: [`${name}-redirect`],
  };
  const other = port === 443 ? {} : { port: String(port) };
  middlewares[`${name}-redirect`] = { redirectScheme: { scheme: "https", permanent: true, ...other } };
}
