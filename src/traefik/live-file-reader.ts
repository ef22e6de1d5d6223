import { parse } from "yaml";

/** The services, without their provider, that a live file routes to. */
export interface LiveServices {
  readonly live: string | undefined;
  readonly canary: { readonly service: string; readonly percent: number } | undefined;
  /** The service of the stopping container, in a file that an interrupted change has left. */
  readonly last: string | undefined;
}

type Named<T> = Readonly<Record<string, T | undefined>>;
interface Http {
  readonly routers?: Named<{ readonly service?: string }>;
  readonly services?: Named<{
    readonly weighted?: { readonly services?: readonly { readonly name: string; readonly weight: number }[] };
  }>;
}

const NO_SERVICES: LiveServices = { live: undefined, canary: undefined, last: undefined };

/** Reads the live file of `name`. No services if it is not YAML that mrsk has written. */
export function liveServices(text: string, name: string): LiveServices {
  try {
    // Undoes the escaping of `liveFile`. The parser must not print warnings to the terminal.
    const file = parse(text.replaceAll("{{`{{`}}", "{{"), { logLevel: "error" }) as { http?: Http } | null;
    return servicesOf(file?.http ?? {}, name);
  } catch {
    return NO_SERVICES;
  }
}

function servicesOf({ routers = {}, services = {} }: Http, name: string): LiveServices {
  const routerWith = (suffix: string) =>
    Object.keys(routers).find((key) => {
      const own = key.startsWith(`${name}-`) && key.endsWith(`-${suffix}`);
      return own && /^(?:[0-9a-f]{8}|original)$/.test(key.slice(name.length + 1, -suffix.length - 1));
    });
  const routedTo = (router: string | undefined) => withoutProvider(router && routers[router]?.service);
  const canaryRouter = routerWith("canary");
  const canary = routedTo(canaryRouter);
  const shares = (canaryRouter && services[canaryRouter]?.weighted?.services) || [];
  const percent = shares.find((share) => withoutProvider(share.name) === canary)?.weight ?? 0;
  return {
    live: withoutProvider(shares[0]?.name) ?? routedTo(name),
    canary: canary === undefined ? undefined : { service: canary, percent },
    last: routedTo(routerWith("last")),
  };
}

function withoutProvider(service: string | undefined): string | undefined {
  return service?.replace(/@docker$/, "");
}

/** The container that defines the service. */
export function definer<T extends { readonly labels: ReadonlyMap<string, string> }>(
  containers: readonly T[],
  service: string | undefined,
): T | undefined {
  if (service === undefined) return undefined;
  const prefix = `traefik.http.services.${service}.`.toLowerCase();
  return containers.find(({ labels }) => [...labels.keys()].some((label) => label.toLowerCase().startsWith(prefix)));
}
