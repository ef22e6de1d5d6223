import type { Accessory, Credential, Environment, Registry, Role } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import type { Need } from "../config/env/secrets.ts";
import { certificateNeeds } from "./certificates/own.ts";
import type { Run } from "./run.ts";

/** Values of the roles' and Traefik's secrets. @throws ConfigError naming all missing ones */
export async function appSecrets(run: Run, roles: readonly Role[]): Promise<ReadonlyMap<string, Secret>> {
  const needs = [...roles.flatMap(roleNeeds), ...needsOf(run.config.traefik.env, "traefik/env")];
  return run.secrets.resolve(needs);
}

/** Values for the environments of roles on one host (`roleOn`). @throws as `appSecrets` */
export function roleSecrets(run: Run, roles: readonly Role[]): Promise<ReadonlyMap<string, Secret>> {
  return run.secrets.resolve(roles.flatMap(({ name, env }) => needsOf(env, `env of role ${name}`)));
}

/** Values for accessories. @throws as `appSecrets` */
export function accessorySecrets(run: Run, accessories: readonly Accessory[]): Promise<ReadonlyMap<string, Secret>> {
  return run.secrets.resolve(accessories.flatMap(accessoryNeeds));
}

export function environmentSecrets(
  run: Run,
  env: Environment,
  requiredBy: string,
): Promise<ReadonlyMap<string, Secret>> {
  return run.secrets.resolve(needsOf(env, requiredBy));
}

/** Resolves every secret that a deploy needs, so that a missing one ends it before any change. */
export async function requireSecrets(
  run: Run,
  { accessories, builder }: { accessories: boolean; builder: boolean },
): Promise<void> {
  const { config } = run;
  await run.secrets.resolve([
    ...config.roles.flatMap(roleNeeds),
    ...config.roles.flatMap(certificateNeeds),
    ...needsOf(config.traefik.env, "traefik/env"),
    ...registryNeeds(config.registry, "registry"),
    ...(builder ? config.builder.secrets.map((name) => ({ name, requiredBy: "builder/secrets" })) : []),
    ...(accessories ? config.accessories.flatMap(accessoryNeeds) : []),
  ]);
}

/** @param path of the registry's section */
export async function registryCredentials(
  run: Run,
  registry: Registry,
  path: string,
): Promise<{ username: Secret; password: Secret }> {
  const found = await run.secrets.resolve(registryNeeds(registry, path));
  const valueOf = (credential: Credential) =>
    "value" in credential ? credential.value : found.get(credential.variable)!;
  return { username: valueOf(registry.username), password: valueOf(registry.password) };
}

function registryNeeds({ username, password }: Registry, path: string): Need[] {
  return [
    ...("variable" in username
      ? [{ name: username.variable, requiredBy: `${path}/username`, filled: true as const }]
      : []),
    ...("variable" in password
      ? [{ name: password.variable, requiredBy: `${path}/password`, filled: true as const }]
      : []),
  ];
}

function accessoryNeeds({ name, env, registry }: Accessory): Need[] {
  const path = `accessories/${name}`;
  return [...needsOf(env, `${path}/env`), ...(registry ? registryNeeds(registry, `${path}/registry`) : [])];
}

function needsOf({ secret, sources }: Environment, requiredBy: string): Need[] {
  return secret.map((name) => ({ name: sources?.get(name) ?? name, requiredBy }));
}

function roleNeeds(role: Role): Need[] {
  const environments = [role.env, ...(role.hostEnv?.values() ?? [])];
  return environments.flatMap((env) => needsOf(env, `env of role ${role.name}`));
}
