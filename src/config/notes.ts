import type { Role } from "./config.ts";
import { tagsOf } from "./resolve-parts.ts";
import { usesHealthcheck, hostsOf } from "./role.ts";
import type { WrittenConfig, WrittenHealthcheck } from "./schema.ts";

/** Keys of later versions that are read so that their files load, and why they have nothing to do here. */
const WITHOUT_EFFECT = {
  cord: "an old container gets no requests from the moment a live file names the new one, so there is no cord to cut",
  exposed_port:
    "a new container is asked through Traefik, and there is no probe container whose port could be published",
} as const satisfies { readonly [key in keyof WrittenHealthcheck]?: string };

/** A sentence for each written key that changes nothing, however often it was written. */
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
      .map(
        ({ name }) =>
          `servers.${name}.healthcheck asks for no check: without Traefik, one of cmd, path and port says what to check`,
      ),
  ];
}

function unknownTags(servers: WrittenConfig["servers"], known: readonly string[]): string[] {
  const roles = Array.isArray(servers) ? [{ hosts: servers }] : Object.values(servers);
  const tags = roles.flatMap((role) => [...hostsOf(Array.isArray(role) ? { hosts: role } : role).values()].flat());
  const unknown = [...new Set(tags)].filter((tag) => !known.includes(tag));
  return unknown.map((tag) => `the tag ${tag} of a host changes nothing: env.tags has no ${tag}`);
}

/** What only means something where there is a check. */
const PROBING = new Set(["interval", "max_attempts"]);

function setKeys(check: WrittenHealthcheck | null | undefined): string[] {
  return Object.entries(check ?? {}).flatMap(([key, value]) => (value === undefined || value === null ? [] : [key]));
}
