import type { Config } from "../config/config.ts";
import { UsageError } from "../errors.ts";
import { everyAppHost, type Filters, type Selection, select, toPattern } from "./select.ts";

/** What `--canary` said: where the new version is tried, and with how much. */
export interface CanaryTarget {
  /** What is left of the command's own selection. */
  readonly selection: Selection;
  /** Percentage of the requests on each of these hosts; undefined: they get the new version wholly. */
  readonly share: number | undefined;
}

const EXAMPLE = "A share is a whole percentage from 1 to 99, for example --canary 10%.";

/**
 * `10%` and `10` are a share of the requests, anything else a list of hosts of the config, wildcards as in --hosts.
 * @throws UsageError saying what would be right
 */
export function canaryTarget(config: Config, filters: Filters, selection: Selection, text: string): CanaryTarget {
  const typed = text.trim();
  const isNumber = /^[-+]?\d+(?:[.,]\d*)?$/.test(typed);
  return isNumber || typed.endsWith("%")
    ? shareOf(config, selection, typed)
    : hostsOf(config, filters, selection, typed);
}

function shareOf(config: Config, selection: Selection, typed: string): CanaryTarget {
  const share = /^(\d{1,2}) ?%?$/.exec(typed)?.[1];
  if (share === undefined || Number(share) === 0) {
    const all = /^100 ?%?$/.test(typed) ? "All requests are an ordinary deploy: leave out --canary. " : "";
    throw new UsageError(`${typed} cannot be a canary's share of the requests`, { hint: all + EXAMPLE });
  }
  const roles = config.roles.filter(
    (role) => role.traefik && selection.app.some((target) => target.roles.includes(role)),
  );
  if (roles.length === 0) {
    throw new UsageError("None of the selected roles is behind Traefik, so there are no requests to share", {
      hint: "Name hosts instead: --canary HOST.",
    });
  }
  const names = { hosts: selection.traefik, roles: roles.map(({ name }) => name), primary: false };
  return { selection: select(config, names), share: Number(share) };
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
    throw new UsageError(`None of the hosts of --canary is left by --hosts and --roles: ${named.join(", ")}`);
  }
  if (named.length === all.length) {
    throw new UsageError(`--canary ${typed} names every host, so none would stay with the version before`, {
      hint: `Name some of ${all.join(", ")}, or a share of the requests: --canary 10%.`,
    });
  }
  return { selection: select(config, { ...filters, hosts: selected, primary: false }), share: undefined };
}
