import { imageNotes } from "./check-registry.ts";
import type { Accessory, Proxy, Role } from "./config.ts";
import type { Era } from "./era.ts";
import { bodyLimits, mergeProxies } from "./proxy.ts";
import { environmentOf, tagsOf } from "./resolve-parts.ts";
import { hostsOf, isInert, usesHealthcheck } from "./role.ts";
import type { WrittenConfig, WrittenHealthcheck } from "./schema.ts";
import type { WrittenProxy } from "./schema-proxy.ts";

/** Keys of Kamal that are accepted without effect, and why they have none. */
const WITHOUT_EFFECT = {
  cord: "the live file stops the requests to the old container, so no cord file is needed",
  exposed_port:
    "a new container is probed through Traefik, so there is no probe container whose port could be published",
} as const satisfies { readonly [key in keyof WrittenHealthcheck]?: string };

/** A sentence for each key that was written and has no effect, once for all its places. */
export function notesOf(
  config: WrittenConfig,
  roles: readonly Role[],
  accessories: readonly Accessory[],
  era: Era,
): string[] {
  const { env, healthcheck, servers } = config;
  const own = roles.flatMap(({ name, traefik }) => {
    const role = Array.isArray(servers) ? undefined : servers[name];
    return role && !Array.isArray(role) && role.healthcheck ? [{ name, traefik, check: role.healthcheck }] : [];
  });
  const written = [healthcheck, ...own.map(({ check }) => check)].flatMap((check) => setKeys(check));
  return [
    ...Object.entries(WITHOUT_EFFECT)
      .filter(([key]) => written.includes(key))
      .map(([key, why]) => `healthcheck.${key} has no effect here: ${why}`),
    ...(config.builder?.cache && !config.builder.cache.type
      ? ["builder.cache has no effect: it has no type, which is gha or registry"]
      : []),
    ...unknownTags(servers, [...tagsOf(env).keys(), ...tagsOfAccessories(config)]),
    ...own
      .filter(
        ({ traefik, check }) => !traefik && !usesHealthcheck(check) && setKeys(check).some((key) => PROBING.has(key)),
      )
      .map(({ name }) => `servers.${name}.healthcheck defines no check: without Traefik, set cmd, path or port`),
    ...withoutCounterpart(config),
    ...sharedSettings(roles, accessories),
    ...(era.generation === 2 ? notesOfKamal2(config, era) : []),
    ...new Set(sectionsInEffect(config, roles, accessories).flatMap(bufferingNotes)),
  ];
}

/** A section `proxy` that is in effect: as written, merged with that of the top level, and resolved. */
interface SectionInEffect {
  /** As in messages: `proxy`, `accessories.db.proxy`. */
  readonly key: string;
  /** `role web`. */
  readonly of: string;
  readonly written: WrittenProxy;
  readonly resolved: Proxy;
}

function sectionsInEffect(
  { accessories: written, proxy, servers }: WrittenConfig,
  roles: readonly Role[],
  accessories: readonly Accessory[],
): SectionInEffect[] {
  return [
    ...roles.flatMap(({ name, proxy: resolved }): SectionInEffect[] => {
      const role = Array.isArray(servers) ? undefined : servers[name];
      const own = !role || Array.isArray(role) || typeof role.proxy === "boolean" ? undefined : role.proxy;
      return resolved ? [{ key: "proxy", of: `role ${name}`, written: mergeProxies(proxy, own), resolved }] : [];
    }),
    ...accessories.flatMap(({ name, proxy: resolved }): SectionInEffect[] => {
      const own = written?.[name]?.proxy;
      if (!resolved || !own) return [];
      return [{ key: `accessories.${name}.proxy`, of: `accessory ${name}`, written: own, resolved }];
    }),
  ];
}

/** Kamal's proxy buffers each side by itself; Traefik's middleware buffers both, and is used only for a limit. */
function bufferingNotes({ key: at, of, written, resolved }: SectionInEffect): string[] {
  const buffering = written.buffering ?? {};
  const { request, response } = bodyLimits(resolved.buffering);
  const limited = [request && "max_request_body", response && "max_response_body"].filter(Boolean).join(" and ");
  const unused = (["requests", "responses", "memory"] as const).filter((key) => buffering[key]);
  return [
    ...(limited
      ? [
          `${at}.buffering: for ${limited}, Traefik reads whole bodies of requests and responses before they go on: responses of ${of} are not streamed`,
        ]
      : unused.map(
          (key) => `${at}.buffering.${key} has no effect here: Traefik streams bodies, unless they have a limit`,
        )),
    ...SIDES.filter(([side, limit]) => buffering[side] === false && buffering[limit]).map(
      ([side, limit]) =>
        `${at}.buffering.${limit} has no effect: ${side} is false, and Kamal 2 limits only what it buffers`,
    ),
  ];
}

const SIDES = [
  ["requests", "max_request_body"],
  ["responses", "max_response_body"],
] as const;

const IMAGE_OF_PROXY = "it names the image of Kamal's proxy, and mrsk runs Traefik: see traefik.image";

/** Keys of Kamal 2 that are accepted without effect, and why they have none. A function decides by the value. */
const NO_COUNTERPART: readonly (readonly [key: string, why: string, applies?: (value: unknown) => boolean])[] = [
  ["error_pages_path", "the app's own pages are not affected; Traefik's answers for unavailable apps stay plain"],
  ["boot.parallel_roles", "the roles of a host always change at the same time"],
  ["ssh.forward_agent", "mrsk forwards no SSH agent to the servers", (value) => value === true],
  ["sshkit.dns_retries", "the resolver of this machine decides how often a name is resolved"],
  ["output.otel", "the logs of deploys are not sent: keep the output of mrsk in CI"],
  ["output.file", "mrsk writes no log files: redirect its output, for instance with tee"],
  ["proxy.run.https_port", "Traefik publishes port 443 for HTTPS, if it is free", (value) => value !== 443],
  ["proxy.run.registry", IMAGE_OF_PROXY],
  ["proxy.run.repository", IMAGE_OF_PROXY],
  ["proxy.run.version", IMAGE_OF_PROXY],
];

/** Settings of Traefik that one section `proxy` makes for all apps of a host. */
function sharedSettings(roles: readonly Role[], accessories: readonly Accessory[]): string[] {
  const routed = [
    ...roles.map((role) => ({ ...role, name: `the role ${role.name}` })),
    ...accessories.map((accessory) => ({ ...accessory, name: `the accessory ${accessory.name}` })),
  ].flatMap(({ name, hosts, proxy }) => (proxy ? [{ name, hosts, proxy }] : []));
  const sharesHost = (one: (typeof routed)[number], other: (typeof routed)[number]) =>
    one.hosts.some((host) => other.hosts.includes(host));
  const trusting = routed.filter(({ proxy }) => proxy.forwardHeaders);
  const others = routed.filter((one) => !one.proxy.forwardHeaders && trusting.some((other) => sharesHost(one, other)));
  const cause = trusting.filter((one) => others.some((other) => sharesHost(one, other)));
  return [
    ...(routed.some(({ proxy }) => proxy.logging)
      ? ["proxy.logging: Traefik logs the requests of every app of the server"]
      : []),
    ...(others.length > 0
      ? [
          `proxy.forward_headers: X-Forwarded headers of clients reach ${others.map(({ name }) => name).join(", ")} too, because of ` +
            `${cause.map(({ name }) => name).join(", ")} on the same server: Traefik has one setting for all of its apps`,
        ]
      : []),
  ];
}

function withoutCounterpart(config: WrittenConfig): string[] {
  const roles = Array.isArray(config.servers) ? [] : Object.entries(config.servers);
  const places: [prefix: string, value: unknown][] = [
    ["", config],
    ...roles.map(([name, role]): [string, unknown] => [`servers.${name}.`, role]),
    ...Object.entries(config.accessories ?? {}).map(([name, value]): [string, unknown] => [
      `accessories.${name}.`,
      value,
    ]),
  ];
  return places.flatMap(([prefix, at]) =>
    NO_COUNTERPART.filter(([key]) => prefix === "" || key.startsWith("proxy.")).flatMap(
      ([key, why, applies = () => true]) => {
        const value = valueAt(at, key.split("."));
        return value === undefined || value === null || !applies(value)
          ? []
          : [`${prefix}${key} has no effect here: ${why}`];
      },
    ),
  );
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce((here, key) => (here as Record<string, unknown> | null | undefined)?.[key], value);
}

function notesOfKamal2(config: WrittenConfig, era: Era): string[] {
  const { run_directory: directory, servers } = config;
  const roles = Array.isArray(servers) ? [] : Object.entries(servers);
  const maps = roles.flatMap(([name, role]) => (Array.isArray(role) ? [] : [{ name, ...role }]));
  const accessories = Object.values(config.accessories ?? {});
  const labels = [config.labels, ...[...maps, ...accessories].map((item) => item.labels)].flatMap((all) =>
    Object.keys(all ?? {}),
  );
  return [
    ...(directory ? ["run_directory has no effect in a file of Kamal 2: the directory is .kamal"] : []),
    ...(labels.some((label) => isInert(label, config, era))
      ? ["labels that begin with traefik. have no effect in a file of Kamal 2 without traefik: write proxy"]
      : []),
    ...maps
      .filter((role) => role.asset_path === false && config.asset_path)
      .map(
        ({ name }) => `servers.${name}.asset_path: false has no effect: the global asset_path applies, as in Kamal 2`,
      ),
    ...clearAndSecret(config, maps),
    ...imageNotes(config.image, config.registry?.server),
  ];
}

/** Kamal 2 passes clear values after secrets, so that they win. */
function clearAndSecret(config: WrittenConfig, roles: readonly { readonly env?: WrittenConfig["env"] }[]): string[] {
  const groups = [
    [config.env, ...roles.map(({ env }) => env)]
      .map((env) => environmentOf(env))
      .concat([...tagsOf(config.env).values()]),
    ...[config.traefik, ...Object.values(config.accessories ?? {})].map((item) => [environmentOf(item?.env)]),
  ];
  const names = groups.flatMap((environments) => {
    const secrets = new Set(environments.flatMap(({ secret }) => secret));
    return environments.flatMap(({ clear }) => [...clear.keys()].filter((name) => secrets.has(name)));
  });
  return [...new Set(names)].map(
    (name) => `env: ${name} is in clear and in secret: the clear value wins, as in Kamal 2`,
  );
}

/** Tags that place an accessory. */
function tagsOfAccessories({ accessories }: WrittenConfig): string[] {
  return Object.values(accessories ?? {}).flatMap(({ tag, tags }) => [...(tag ? [tag] : []), ...(tags ?? [])]);
}

function unknownTags(servers: WrittenConfig["servers"], known: readonly string[]): string[] {
  const roles = Array.isArray(servers) ? [{ hosts: servers }] : Object.values(servers);
  const tags = roles.flatMap((role) => [...hostsOf(Array.isArray(role) ? { hosts: role } : role).values()].flat());
  const unknown = [...new Set(tags)].filter((tag) => !known.includes(tag));
  return unknown.map((tag) => `the tag ${tag} of a host has no effect: env.tags has no ${tag}`);
}

/** Keys that have an effect only if there is a check. */
const PROBING = new Set(["interval", "max_attempts"]);

function setKeys(check: WrittenHealthcheck | null | undefined): string[] {
  return Object.entries(check ?? {}).flatMap(([key, value]) => (value === undefined || value === null ? [] : [key]));
}
