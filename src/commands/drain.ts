import type { Role } from "../config/config.ts";
import { CLOCK, hundredths } from "./clock.ts";
import { type Command, type Raw, raw, type Shell, sh } from "../script/command.ts";

export interface DrainOptions {
  /** Where the app listens, beside the ports that its image exposes. */
  readonly ports: readonly number[];
  readonly limitSeconds: number;
  /** How long the container has had no new requests already: time that is not waited for twice. */
  readonly pastSeconds?: number;
  /** A connection that was answered less than this ago may be a stream between two messages. */
  readonly recentMilliseconds: number;
  /** The command that enters a network namespace, `sudo -n` in front where needed; undefined: the user may not look. */
  readonly nsenter: Command | undefined;
}

/** Where the app listens, as health check and labels have it. */
export function listeningPorts(role: Role): number[] {
  const labelled = [...role.labels].filter(([name]) => /\.loadbalancer\.server\.port$/i.test(name));
  const ports = [role.healthcheck?.port ?? 3000, ...labelled.map(([, port]) => Number(port))];
  return [...new Set(ports)].filter((port) => port > 0);
}

/** Traefik's own health checks of a service would look like a stream whose messages are a second apart. */
export function recentMilliseconds(role: Role): number {
  return [...role.labels.keys()].some((name) => /\.loadbalancer\.healthcheck\./i.test(name)) ? 300 : 3500;
}

/** Where nobody may look at the connections. */
const FIXED_DRAIN_SECONDS = 10;

/**
 * Waits until nothing is under way in the container: a connection is busy while it received something after it last
 * sent, or sent recently (measured on real Traefik). Two quiet looks end it; `limitSeconds` at most. Where nobody may
 * look, a fixed wait. Prints what was not as it should be.
 */
export function drain(
  container: string | Raw,
  { ports, limitSeconds, pastSeconds = 0, recentMilliseconds: recent, nsenter }: DrainOptions,
): Shell {
  const left = (seconds: number) => Math.max(0, seconds - pastSeconds);
  const seconds = Math.ceil(left(Math.min(limitSeconds, FIXED_DRAIN_SECONDS)));
  const blind = `waited ${seconds} s without looking: its connections are seen by root, or with sudo that asks for no password, and with ss`;
  const fixed = sh`sleep ${seconds}; echo ${blind}`;
  if (!nsenter) return fixed;
  const look: Command = [...nsenter, "--target", raw('"$pid"'), "--net", "ss", "-tinH", "state", "established"];
  const inspect = "{{.State.Pid}}{{range $port, $_ := .Config.ExposedPorts}} {{$port}}{{end}}";
  return sh`seen=$(docker inspect --type container --format ${inspect} ${container} 2>/dev/null) || exit 0
set -- $seen; pid=$1; shift; set -- "$@" ${ports}
[ "$pid" -gt 0 ] 2>/dev/null || exit 0
filter=
for port in "$@"; do filter="${raw("${filter:+$filter or }")}sport = :${raw("${port%/*}")}"; done
${CLOCK}
clock; end=$((now + ${hundredths(Math.max(1, left(limitSeconds)))})); quiet=0; busy=0 looked=
while clock; [ "$now" -lt "$end" ]; do
  seen=$(${look} "( $filter )" 2>/dev/null) || {
    [ -n "$looked" ] || { ${fixed}; exit 0; }
    busy=some; quiet=0; sleep 1; continue
  }
  looked=yes
  busy=$(printf '%s\n' "$seen" | awk -v recent=${recent} ${BUSY})
  if [ "$busy" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
  [ "$quiet" -lt 2 ] || exit 0
  sleep 0.1 2>/dev/null || sleep 1
done
[ "$busy" = 0 ] || echo "still busy after ${raw(String(limitSeconds))} s: $busy connections end with it"`;
}

// `ss` leaves out what is 0: a connection that sent this very millisecond has no lastsnd.
const BUSY = String.raw`{ s = 0; r = 0; seen = 0; n = split($0, w, " ")
  for (i = 1; i <= n; i++) { if (w[i] ~ /^lastsnd:/) s = substr(w[i], 9) + 0; if (w[i] ~ /^lastrcv:/) r = substr(w[i], 9) + 0
    if (w[i] ~ /^(rtt|mss|cwnd|lastsnd|lastrcv):/) seen = 1 }
  if (seen && (r < s || s < recent)) busy++ } END { print busy + 0 }`;
