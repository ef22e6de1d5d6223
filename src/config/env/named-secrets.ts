import type { Config } from "../config.ts";
import type { LocalEnvironment } from "./environment.ts";
import { Secret } from "./secret.ts";

/**
 * The secrets known at the start of a run, to mask them: values that the configuration names as secret, and those of
 * `.env` that look like secrets. Without the values that need a command.
 */
export async function initialSecrets(config: Config, environment: LocalEnvironment): Promise<Secret[]> {
  const values = await environment.forCommands();
  const named = namesOfSecrets(config).flatMap((name): Secret[] => secretOf(name, values[name]));
  const seeming = environment.names().flatMap((name): Secret[] => {
    const value = values[name];
    return value !== undefined && seemsSecret(name, value) ? [new Secret(name, value)] : [];
  });
  return [...named, ...literals(config), ...seeming].filter((secret) => !isPublic(config, secret));
}

/** A registry's user name that is part of the image's name is no secret, even if a variable holds it. */
export function isPublic({ registry, repository }: Config, secret: Secret): boolean {
  const { username } = registry;
  return "variable" in username && username.variable === secret.name && repository.split("/").includes(secret.reveal());
}

function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

function secretOf(name: string, value: string | undefined): Secret[] {
  return value === undefined ? [] : [new Secret(name, value)];
}

/** The variables that the configuration names as secret. */
export function namesOfSecrets({ env, roles, accessories, traefik, builder, registry, ssh }: Config): string[] {
  const environments = [
    env,
    traefik.env,
    ...roles.flatMap((role) => [role.env, ...(role.hostEnv?.values() ?? [])]),
    ...accessories.map((accessory) => accessory.env),
  ];
  const registries = [registry, ...accessories.flatMap((accessory) => accessory.registry ?? [])];
  const credentials = registries.flatMap(({ username, password }) => [username, password]);
  return [
    ...new Set([
      ...environments.flatMap(({ secret, sources }) => secret.map((name) => sources?.get(name) ?? name)),
      ...builder.secrets,
      ...credentials.flatMap((credential) => ("variable" in credential ? [credential.variable] : [])),
      ...ssh.keyData.filter(isName),
    ]),
  ];
}

/** Secrets in the configuration file itself: passwords and keys, and build arguments that look like secrets. */
function literals({ builder, registry, accessories, ssh }: Config): Secret[] {
  const registries = [registry, ...accessories.flatMap((accessory) => accessory.registry ?? [])];
  return [
    ...registries.flatMap(({ password }) => ("value" in password ? [password.value] : [])),
    ...ssh.keyData.filter((text) => !isName(text)).map((text) => new Secret("ssh.key_data", text)),
    ...[...builder.args]
      .filter(([name, value]) => seemsSecret(name, value))
      .map(([name, value]) => new Secret(name, value)),
  ];
}

/** Variables that this program reads and prints. */
const SHOWN = new Set(["VERSION"]);

/** Names of variables and options whose values are secret. */
export const SECRET_NAME = /PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|SALT|DSN|CERT|SIGN/i;

/** A word, a short number, or both: the parts of names, addresses, paths and versions. */
const PLAIN_WORD = /^(?:(?:[a-z]+|[A-Z][a-z]*|[A-Z]+)\d{0,3}|\d{1,6})$/;

/**
 * Whether to mask a value that the configuration does not name as secret. Not `production`, `3000`,
 * `db.example.com:5432`, `/home/app` or `https://example.com`: masking those would make the output unreadable.
 */
export function seemsSecret(name: string, value: string): boolean {
  const text = value.trim();
  if (SHOWN.has(name) || text.length < 4) return false;
  if (/:\/\/[^/\s]*:[^/\s]*@/.test(text)) return true;
  if (SECRET_NAME.test(name)) return !/^(?:\d{1,5}|true|false|none|\/.*|~\/.*)$/.test(text);
  return text.length >= 8 && !text.split(/[-_.,:;/@~+ ]+/).every((word) => word === "" || PLAIN_WORD.test(word));
}
