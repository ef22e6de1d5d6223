import { ACCESSORIES } from "./accessories.ts";
import { ENV, HEALTHCHECK, REGISTRY, SERVERS } from "./app.ts";
import { BOOT } from "./boot.ts";
import { BUILDER, TRAEFIK } from "./infrastructure.ts";
import { LOGGING } from "./logging.ts";
import { PROXY } from "./proxy.ts";
import { SSH, SSHKIT } from "./ssh.ts";
import { CONFIGURATION, OUTPUT, RELEASE } from "./top.ts";
import type { KeyReference, Section } from "./types.ts";

/** Every key of `deploy.yml`: the source of `mrsk docs`, of the table in `src/docs/keys.md`, and of the JSON Schema. */
export const SECTIONS: readonly Section[] = [
  CONFIGURATION,
  SERVERS,
  REGISTRY,
  ENV,
  HEALTHCHECK,
  LOGGING,
  BOOT,
  BUILDER,
  ACCESSORIES,
  PROXY,
  TRAEFIK,
  SSH,
  SSHKIT,
  RELEASE,
  OUTPUT,
];

/** Every path that a key may have, `*` for any name: `servers.*.healthcheck.path`. */
export function keyPaths(): ReadonlyMap<string, KeyReference> {
  return new Map(
    SECTIONS.flatMap((section) =>
      section.at.flatMap((at) =>
        section.keys
          .filter((key) => key.only === undefined || key.only.includes(at))
          .map((key): [string, KeyReference] => [at === "" ? key.key : `${at}.${key.key}`, key]),
      ),
    ),
  );
}

/** The path for a reader: `servers.ROLE.env`. */
export function placeholders(path: string): string {
  return path
    .replace(/^servers\.\*/, "servers.ROLE")
    .replace(/^env\.tags\.\*/, "env.tags.TAG")
    .replace("*", "NAME");
}
