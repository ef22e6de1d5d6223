import { parse } from "yaml";
import type { ContainerFact } from "../plan/facts.ts";

/** A container that has, or had, a share of a role's requests beside the live one. */
export interface CanaryFact {
  /** Up, or stopped since: the live one then has every request. */
  readonly container: ContainerFact;
  /** Of the requests; 0 when it was being taken back. */
  readonly percent: number;
}

/** Services, without their provider, that a live file gives the requests to. */
export interface LiveServices {
  readonly live: string | undefined;
  readonly canary: { readonly service: string; readonly percent: number } | undefined;
  /** Of the container that was to be stopped when the file was written: a change that did not end. */
  readonly last: string | undefined;
}

type Named<T> = Readonly<Record<string, T | undefined>>;
interface Http {
  readonly routers?: Named<{ readonly service?: string }>;
  readonly services?: Named<{
    readonly weighted?: { readonly services?: readonly { readonly name: string; readonly weight: number }[] };
  }>;
}

const NOTHING: LiveServices = { live: undefined, canary: undefined, last: undefined };

/** What the live file `name` says; nothing where it is no YAML of ours. */
export function liveServices(text: string, name: string): LiveServices {
  try {
    // As `liveFile` escapes it. What is wrong with a file on a server is no warning for the terminal.
    const file = parse(text.replaceAll("{{`{{`}}", "{{"), { logLevel: "error" }) as { http?: Http } | null;
    return servicesOf(file?.http ?? {}, name);
  } catch {
    return NOTHING;
  }
}

function servicesOf({ routers = {}, services = {} }: Http, name: string): LiveServices {
  const ofRole = (what: string) =>
    Object.keys(routers).find((key) => {
      const own = key.startsWith(`${name}-`) && key.endsWith(`-${what}`);
      return own && /^(?:[0-9a-f]{8}|original)$/.test(key.slice(name.length + 1, -what.length - 1));
    });
  const routedTo = (router: string | undefined) => withoutProvider(router && routers[router]?.service);
  const canaryRouter = ofRole("canary");
  const canary = routedTo(canaryRouter);
  const shares = (canaryRouter && services[canaryRouter]?.weighted?.services) || [];
  const percent = shares.find((share) => withoutProvider(share.name) === canary)?.weight ?? 0;
  return {
    live: withoutProvider(shares[0]?.name) ?? routedTo(name),
    canary: canary === undefined ? undefined : { service: canary, percent },
    last: routedTo(ofRole("last")),
  };
}

function withoutProvider(service: string | undefined): string | undefined {
  return service?.replace(/@docker$/, "");
}

/** The container of `mine` that defines the service. */
export function definer(mine: readonly ContainerFact[], service: string | undefined): ContainerFact | undefined {
  if (service === undefined) return undefined;
  const prefix = `traefik.http.services.${service}.`.toLowerCase();
  return mine.find(({ labels }) => [...labels.keys()].some((label) => label.toLowerCase().startsWith(prefix)));
}
