import type { Credential, Environment, Role } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import type { Run } from "./run.ts";

/** A name that some part of the configuration asks for. */
interface Need {
  readonly name: string;
  readonly askedBy: string;
}

/** Values of the roles' secrets, and Traefik's. @throws ConfigError naming all that are missing */
export async function appSecrets(run: Run, roles: readonly Role[]): Promise<ReadonlyMap<string, Secret>> {
  const needs = [...roles.flatMap(roleNeeds), ...needsOf(run.config.traefik.env, "traefik/env")];
  return run.secrets.resolve(needs);
}

export function environmentSecrets(run: Run, env: Environment, askedBy: string): Promise<ReadonlyMap<string, Secret>> {
  return run.secrets.resolve(needsOf(env, askedBy));
}

/** Every secret a deploy will need, so that a missing one ends it before anything is touched. */
export async function requireSecrets(
  run: Run,
  { accessories, builder }: { accessories: boolean; builder: boolean },
): Promise<void> {
  const { config } = run;
  await run.secrets.resolve([
    ...config.roles.flatMap(roleNeeds),
    ...needsOf(config.traefik.env, "traefik/env"),
    ...registryNeeds(run),
    ...(builder ? config.builder.secrets.map((name) => ({ name, askedBy: "builder/secrets" })) : []),
    ...(accessories
      ? config.accessories.flatMap((accessory) => needsOf(accessory.env, `accessories/${accessory.name}/env`))
      : []),
  ]);
}

export async function registryCredentials(run: Run): Promise<{ username: Secret; password: Secret }> {
  const found = await run.secrets.resolve(registryNeeds(run));
  const valueOf = (credential: Credential) =>
    "value" in credential ? credential.value : found.get(credential.variable)!;
  const { username, password } = run.config.registry;
  return { username: valueOf(username), password: valueOf(password) };
}

function registryNeeds(run: Run): Need[] {
  const { username, password } = run.config.registry;
  return [
    ...("variable" in username ? [{ name: username.variable, askedBy: "registry/username" }] : []),
    ...("variable" in password ? [{ name: password.variable, askedBy: "registry/password" }] : []),
  ];
}

function needsOf(env: Environment, askedBy: string): Need[] {
  return env.secret.map((name) => ({ name, askedBy }));
}

function roleNeeds(role: Role): Need[] {
  const environments = [role.env, ...(role.hostEnv?.values() ?? [])];
  return environments.flatMap((env) => needsOf(env, `env of role ${role.name}`));
}
