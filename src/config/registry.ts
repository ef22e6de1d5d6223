import type { Credential, Registry } from "./config.ts";
import { isLocalRegistry } from "./era.ts";
import { Secret } from "./env/secret.ts";
import type { WrittenConfig } from "./schema.ts";

/** @param name of the section, for messages about the credentials */
export function registryOf({ server, username, password }: WrittenConfig["registry"], name: string): Registry {
  return {
    server: server ?? undefined,
    username: credentialOf(username, `${name} username`),
    password: credentialOf(password, `${name} password`),
    ...(isLocalRegistry(server) && !username ? { isLocal: true } : {}),
  };
}

function credentialOf(written: string | readonly string[] | null | undefined, name: string): Credential {
  return typeof written === "object" && written !== null
    ? { variable: written[0]! }
    : { value: new Secret(name, written ?? "") };
}
