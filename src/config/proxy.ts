import type { Proxy, ProxyRun } from "./config.ts";
import { KAMAL2 } from "./defaults.ts";
import { optionsOf } from "./resolve-parts.ts";
import type { WrittenProxy } from "./schema-proxy.ts";
import { isMap } from "./written.ts";

type Maybe<T> = T | null | undefined;
/** A role's section over that of the top level: maps are merged by key, lists and other values replaced. */
export function mergeProxies<T extends object>(root: Maybe<T>, role: Maybe<T>): T {
  const merged = { ...root } as Record<string, unknown>;
  for (const [key, value] of Object.entries(role ?? {})) {
    if (value === undefined || value === null) continue;
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? mergeProxies(below, value) : value;
  }
  return merged as T;
}

/** Fills in every default of Kamal 2. */
export function proxyOf(written: WrittenProxy): Proxy {
  const { buffering, healthcheck, logging } = written;
  const defaults = KAMAL2.proxy;
  const ssl = sslOf(written.ssl);
  return {
    hosts: hostsOf(written),
    appPort: written.app_port ?? defaults.appPort,
    ssl,
    sslRedirect: written.ssl_redirect ?? true,
    forwardHeaders: written.forward_headers ?? ssl === false,
    responseTimeoutSeconds: written.response_timeout ?? defaults.responseTimeoutSeconds,
    pathPrefixes: pathsOf(written),
    stripPathPrefix: written.strip_path_prefix ?? true,
    healthcheck: {
      path: healthcheck?.path ?? defaults.healthcheck.path,
      intervalSeconds: healthcheck?.interval ?? defaults.healthcheck.intervalSeconds,
      timeoutSeconds: healthcheck?.timeout ?? defaults.healthcheck.timeoutSeconds,
    },
    buffering: {
      requests: buffering?.requests ?? true,
      responses: buffering?.responses ?? true,
      maxRequestBytes: buffering?.max_request_body ?? undefined,
      maxResponseBytes: buffering?.max_response_body ?? undefined,
      memoryBytes: buffering?.memory ?? defaults.bufferMemoryBytes,
    },
    logging: logging
      ? {
          requestHeaders: logging.request_headers ?? defaults.requestHeaders,
          responseHeaders: logging.response_headers ?? [],
        }
      : undefined,
    run: proxyRunOf(written.run),
  };
}

/** The limits that hold. Kamal 2 limits no body of a side that it does not buffer, and 0 is no limit. */
export function bodyLimits({ requests, responses, maxRequestBytes, maxResponseBytes }: Proxy["buffering"]) {
  return {
    request: (requests && maxRequestBytes) || undefined,
    response: (responses && maxResponseBytes) || undefined,
  };
}

/** Fills in every default of the proxy's container. */
export function proxyRunOf(run: WrittenProxy["run"]): ProxyRun {
  const defaults = KAMAL2.proxy.run;
  return {
    httpPort: run?.http_port ?? defaults.httpPort,
    httpsPort: run?.https_port ?? defaults.httpsPort,
    publish: run?.publish ?? true,
    bindIps: run?.bind_ips ?? [],
    metricsPort: run?.metrics_port ?? undefined,
    debug: run?.debug ?? false,
    logMaxSize: run?.log_max_size ?? undefined,
    options: optionsOf(run?.options),
  };
}

/** Takes the section as written or as parsed. `host` separates several names by commas. */
export function hostsOf({ host, hosts }: { readonly host?: unknown; readonly hosts?: unknown }): string[] {
  const names: unknown[] = Array.isArray(hosts) ? hosts : typeof host === "string" ? host.split(",") : [];
  return names.map((name) => String(name).trim().toLowerCase()).filter((name) => name !== "");
}

/** Takes the section as written or as parsed. `api/` is `/api`. Empty without a prefix, or with `/`: every path. */
export function pathsOf(section: { readonly path_prefix?: unknown; readonly path_prefixes?: unknown }): string[] {
  const { path_prefix: one, path_prefixes: several } = section;
  const written: unknown[] = Array.isArray(several) ? several : typeof one === "string" ? one.split(",") : [];
  const paths = written.map(
    (path) =>
      `/${String(path)
        .trim()
        .replaceAll(/^\/+|\/+$/g, "")}`,
  );
  const unique = [...new Set(paths)].map((path) => (path === "/" ? "" : path));
  return unique.every((path) => path === "") ? [] : unique;
}

/** An empty map is `true`, as in Kamal. */
function sslOf(ssl: WrittenProxy["ssl"]): Proxy["ssl"] {
  if (!ssl) return false;
  if (ssl === true || !ssl.certificate_pem || !ssl.private_key_pem) return "acme";
  return { certificate: ssl.certificate_pem, privateKey: ssl.private_key_pem };
}
