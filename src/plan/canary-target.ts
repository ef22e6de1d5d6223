import type { Config } from "../config/config.ts";
import { UsageError } from "../errors.ts";
import { everyAppHost, type Filters, type Selection, select, toPattern } from "./select.ts";

/** The target of `--canary`: the hosts of the canary, and its percentage of their requests. */
export interface CanaryTarget {
  /** The hosts and roles that both the target and the filters select. */
  readonly selection: Selection;
  /** Percentage of the requests on each of these hosts; undefined: a canary by host, which serves all of them. */
  readonly percent: number | undefined;
}

const EXAMPLE = "A percentage is a whole number from 1 to 99, for example --canary 10%.";

/**
 * `10%` and `10` are a percentage of the requests. Anything else is a list of hosts of the config, with wildcards as in
 * --hosts.
 * @throws UsageError with a correct example
 */
export function canaryTarget(config: Config, filters: Filters, selection: Selection, text: string): CanaryTarget {
  const typed = text.trim();
  const isNumber = /^[-+]?\d+(?:[.,]\d*)?$/.test(typed);
  return isNumber || typed.endsWith("%")
    ? percentOf(config, selection, typed)
    : hostsOf(config, filters, selection, typed);
}

function percentOf(config: Config, selection: Selection, typed: string): CanaryTarget {
  const percent = /^(\d{1,2}) ?%?$/.exec(typed)?.[1];
  if (percent === undefined || Number(percent) === 0) {
    const all = /^100 ?%?$/.test(typed) ? "All requests are an ordinary deploy: leave out --canary. " : "";
    throw new UsageError(`${typed} is not a percentage of the requests that a canary can serve`, {
      hint: all + EXAMPLE,
    });
  }
  const roles = config.roles.filter(
    (role) => role.traefik && selection.app.some((target) => target.roles.includes(role)),
  );
  if (roles.length === 0) {
    throw new UsageError(
      "None of the selected roles is behind Traefik, so a canary cannot serve a percentage of its requests",
      {
        hint: "Name hosts instead: --canary HOST.",
      },
    );
  }
  const names = { hosts: selection.traefik, roles: roles.map(({ name }) => name), primary: false };
  return { selection: select(config, names), percent: Number(percent) };
}

function hostsOf(config: Config, filters: Filters, selection: Selection, typed: string): CanaryTarget {
  const all = everyAppHost(config);
  const patterns = typed.split(",").map((part) => part.trim());
  for (const pattern of patterns) {
    if (all.some((host) => toPattern(pattern).test(host))) continue;
    throw new UsageError(`'${pattern}' is neither a percentage nor a host of the app`, {
      hint: `${EXAMPLE} The hosts are: ${all.join(", ")}.`,
    });
  }
  const named = all.filter((host) => patterns.some((pattern) => toPattern(pattern).test(host)));
  const selected = selection.app.map(({ host }) => host).filter((host) => named.includes(host));
  if (selected.length === 0) {
    throw new UsageError(`--hosts and --roles exclude every host of --canary: ${named.join(", ")}`);
  }
  if (named.length === all.length) {
    throw new UsageError(`--canary ${typed} names every host, so no host would keep the version before`, {
      hint: `Name some of ${all.join(", ")}, or a percentage of the requests: --canary 10%.`,
    });
  }
  return { selection: select(config, { ...filters, hosts: selected, primary: false }), percent: undefined };
}
