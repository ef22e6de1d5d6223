import type { Config, Options } from "../config/config.ts";

/** The entry point that mrsk adds for TLS, unless the user names one with port 443. */
export const TLS_ENTRY_POINT = "https";
export const TLS_PORT = 443;
/** The names of Traefik's entry points for the app: without TLS, and with it. */
export function entryPointsOf({ traefik: { args } }: Config): { readonly plain: string[]; readonly tls: string[] } {
  const named = namedEntryPoints(args);
  const tls = named.filter(({ port }) => port === TLS_PORT).map(({ name }) => name);
  const plain = named.filter(({ port }) => port !== TLS_PORT).map(({ name }) => name);
  return { plain: plain.length === 0 ? ["http"] : plain, tls: tls.length === 0 ? [TLS_ENTRY_POINT] : tls };
}

/** The entry points that the user names for requests of the app. Traefik itself excludes the others from the defaults. */
export function namedEntryPoints(args: Options): { readonly name: string; readonly port: number }[] {
  return [...args].flatMap(([key, value]) => {
    const [, name] = /^entrypoints\.([^.]+)\.address$/i.exec(key) ?? [];
    const [, port] = /:(\d+)(?:\/tcp)?$/i.exec(String(value)) ?? [];
    return name === undefined || port === undefined || name === "traefik" ? [] : [{ name, port: Number(port) }];
  });
}

/** Whether a Traefik with these arguments has an entry point for TLS, and mrsk's resolver. */
export function servesTls(args: readonly string[]): boolean {
  const has = (pattern: RegExp) => args.some((arg) => pattern.test(arg));
  return has(/^--entrypoints\.[^.]+\.address=.*:443(?:\/tcp)?$/i) && has(/^--certificatesresolvers\.mrsk\.acme\./i);
}

/** Whether mrsk adds the argument for TLS alone. */
export function isTlsFlag(argument: string): boolean {
  return /^--(?:entrypoints\.https\.|certificatesresolvers\.mrsk\.)/.test(argument);
}
