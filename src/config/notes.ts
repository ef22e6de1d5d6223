import type { Role } from "./config.ts";
import { tagsOf } from "./resolve-parts.ts";
import { usesHealthcheck, hostsOf } from "./role.ts";
import type { WrittenConfig, WrittenHealthcheck } from "./schema.ts";

/** Keys of Kamal that are accepted without effect, and why they have none. */
const WITHOUT_EFFECT = {
  cord: "the live file stops the requests to the old container, so no cord file is needed",
  exposed_port:
    "a new container is probed through Traefik, so there is no probe container whose port could be published",
} as const satisfies { readonly [key in keyof WrittenHealthcheck]?: string };

/** A sentence for each key that was written and has no effect, once for all its places. */
export function notesOf({ env, healthcheck, servers }: WrittenConfig, roles: readonly Role[]): string[] {
  const own = roles.flatMap(({ name, traefik }) => {
    const role = Array.isArray(servers) ? undefined : servers[name];
    return role && !Array.isArray(role) && role.healthcheck ? [{ name, traefik, check: role.healthcheck }] : [];
  });
  const written = [healthcheck, ...own.map(({ check }) => check)].flatMap((check) => setKeys(check));
  return [
    ...Object.entries(WITHOUT_EFFECT)
      .filter(([key]) => written.includes(key))
      .map(([key, why]) => `healthcheck.${key} has no effect here: ${why}`),
    ...unknownTags(servers, [...tagsOf(env).keys()]),
    ...own
      .filter(
        ({ traefik, check }) => !traefik && !usesHealthcheck(check) && setKeys(check).some((key) => PROBING.has(key)),
      )
      .map(({ name }) => `servers.${name}.healthcheck defines no check: without Traefik, set cmd, path or port`),
  ];
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
