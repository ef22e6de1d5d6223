import { LOG_LINES } from "../config/resolve-parts.ts";
import { type Body, type Command, docker, lines, type Raw, raw, type Shell, sh } from "./command.ts";

/** Exit status of a wait that ended without the answer, so that the flow can tell it from a broken command. */
export const NOT_HEALTHY = 66;
export const NO_MARK = 67;

/**
 * Writes a live file as a whole: beside the directory first, then moved in, so that Traefik never reads half of one.
 * With sudo where another login user made the directory.
 */
export function writeLiveFile(directory: string, name: string, text: string): Shell {
  return sh`${asOwner(directory)}
as_owner mkdir -p ${directory}
if as_owner test -w ${`${directory}/..`}; then new=${`${directory}/../.${name}.new`}; else new=${`${directory}/.${name}.new`}; fi
printf '%s' ${text} | as_owner tee "$new" >/dev/null || { as_owner rm -f "$new"; exit 1; }
as_owner chmod 644 "$new"
as_owner mv -f "$new" ${`${directory}/${name}.yml`}`;
}

export function removeLiveFile(directory: string, name: string): Shell {
  return sh`${asOwner(directory)}
as_owner rm -f ${`${directory}/${name}.yml`}`;
}

function asOwner(directory: string): Shell {
  return sh`near=${directory}; while [ ! -e "$near" ]; do near=$(dirname "$near"); done
if [ -w "$near" ]; then as_owner() { "$@"; }; else as_owner() { sudo -n "$@"; }; fi`;
}

/** What is printed about a container that did not make it: its state, the answers of its health check, its last lines. */
function evidence(container: string | Raw, logLines: number | Raw): Shell {
  const health =
    "{{if .State.Health}}{{range .State.Health.Log}}{{.End}} exit {{.ExitCode}}: {{.Output}}{{end}}{{end}}";
  return sh`{
docker inspect --type container --format ${"State: {{.State.Status}}, exit code {{.State.ExitCode}}, OOM killed: {{.State.OOMKilled}} {{.State.Error}}"} ${container} || true
probes=$(docker inspect --type container --format ${health} ${container} 2>/dev/null | tail -n 5) || true
[ -z "$probes" ] || printf 'Health check:\n%s\n' "$probes"
printf 'Last lines of its log:\n'
docker logs --tail ${logLines} ${container} 2>&1 || true
} >&2`;
}

/** Sets `$state`; `gone` without such a container. An engine that does not answer is no fault of the container. */
function stateOf(container: string | Raw, format: string): Shell {
  return sh`state=$(docker inspect --type container --format ${format} ${container} 2>/dev/null) || {
    docker version >/dev/null || exit 1
    state=gone
  }`;
}

/**
 * Waits on the host until docker calls the container healthy, or, where it has no health check, until it has run for
 * `steadySeconds` without a stop. Ends with NOT_HEALTHY and the evidence on standard error.
 */
export function waitUntilHealthy(
  container: string,
  deadlineSeconds: number,
  steadySeconds: number,
  logLines = LOG_LINES,
): Shell {
  const state = "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}";
  return sh`end=$(( $(date +%s) + ${deadlineSeconds} )); since=$(date +%s)
while :; do
  ${stateOf(container, state)}
  case $state in
    "running healthy") break ;;
    "running ") [ $(( $(date +%s) - since )) -lt ${steadySeconds} ] || break ;;
    "running "*) ;;
    "created "*) ;;
    *) echo "The container does not run: $state" >&2; ${evidence(container, logLines)}; exit ${NOT_HEALTHY} ;;
  esac
  if [ "$(date +%s)" -ge "$end" ] && [ "$state" != "running " ]; then
    echo "Not healthy after ${raw(String(deadlineSeconds))} s: $state" >&2; ${evidence(container, logLines)}; exit ${NOT_HEALTHY}
  fi
  sleep 0.2 2>/dev/null || sleep 1
done
echo "$state"`;
}

export interface PreviewQuestion {
  /** `http://127.0.0.1:18082`, or Traefik's own address. */
  readonly base: string;
  /** The unguessable name that the preview router answers to. */
  readonly hostName: string;
  readonly path: string;
  /** The answer must carry it, or it came from another container. */
  readonly mark: string;
}

/**
 * Asks through Traefik until the container behind the preview answers 2xx or 3xx (as `curl -f` has it), with the mark,
 * twice in a row.
 */
export function waitForPreview(
  container: string,
  question: PreviewQuestion,
  deadlineSeconds: number,
  logLines = LOG_LINES,
): Shell {
  return sh`end=$(( $(date +%s) + ${deadlineSeconds} )); good=0
while :; do
  answer=$(${ask(question)}) || answer=
  case $answer in
    "HTTP/1."?" "2[0-9][0-9]*${`X-Mrsk-Live: ${question.mark}`}*) good=$((good + 1)); [ "$good" -lt 2 ] || break; continue ;;
  esac
  good=0
  ${stateOf(container, "{{.State.Status}}")}
  case $state in running|created) ;; *) echo "The container does not run: $state" >&2; ${evidence(container, logLines)}; exit ${NOT_HEALTHY} ;; esac
  if [ "$(date +%s)" -ge "$end" ]; then
    printf 'No good answer at %s after %s s. The last one: %s\n' ${question.path} ${deadlineSeconds} "$(printf '%s' "$answer" | head -n 1)" >&2
    ${evidence(container, logLines)}; exit ${NOT_HEALTHY}
  fi
  sleep 0.1 2>/dev/null || sleep 1
done`;
}

/**
 * Asks through Traefik until the container behind the preview answers anything of its own, with the mark, twice in a row:
 * for a version that was live before, whose health path may be another one.
 */
export function waitForAnswer(question: PreviewQuestion, deadlineSeconds: number): Shell {
  return sh`end=$(( $(date +%s) + ${deadlineSeconds} )); good=0
while [ "$good" -lt 2 ]; do
  answer=$(${ask(question)}) || answer=
  case $answer in
    "HTTP/1."?" 50"[234]*) good=0 ;;
    *${`X-Mrsk-Live: ${question.mark}`}*) good=$((good + 1)); continue ;;
    *) good=0 ;;
  esac
  if [ "$(date +%s)" -ge "$end" ]; then echo "No answer through Traefik" >&2; exit ${NOT_HEALTHY}; fi
  sleep 0.1 2>/dev/null || sleep 1
done`;
}

function ask({ hostName, base, path }: PreviewQuestion): Shell {
  return sh`curl -s -m 10 -o /dev/null -D - -H ${`Host: ${hostName}`} ${base + path} | tr -d '\r'`;
}

/** Asks until the answers carry the mark: Traefik has then loaded the file that was written last. */
export function waitForMark(question: PreviewQuestion): Shell {
  return sh`tries=0
until curl -s -m 5 -o /dev/null -D - -H ${`Host: ${question.hostName}`} ${question.base + question.path} | tr -d '\r' | grep -qi ${`^x-mrsk-live: ${question.mark}$`}; do
  tries=$((tries + 1))
  if [ "$tries" -ge 100 ]; then
    echo "Traefik did not take the live file within 5 s" >&2
    docker logs --since 30s traefik 2>&1 | grep -i 'file' | tail -n 5 >&2
    exit ${NO_MARK}
  fi
  sleep 0.05 2>/dev/null || sleep 1
done`;
}

/** The same behind a container that may crash meanwhile: that is then told, with the evidence, and ends with NOT_HEALTHY. */
export function waitForMarkOf(container: string, question: PreviewQuestion, logLines = LOG_LINES): Shell {
  return sh`( ${waitForMark(question)} ) || {
  status=$?
  ${stateOf(container, "{{.State.Status}}")}
  [ "$state" != running ] || exit $status
  echo "The container does not run: $state" >&2; ${evidence(container, logLines)}; exit ${NOT_HEALTHY}
}`;
}

export interface Drain {
  readonly port: number;
  readonly limitSeconds: number;
  /** How long the container has had no new requests already: time that is not waited for twice. */
  readonly pastSeconds?: number;
  /** The command to enter a network namespace, `sudo -n` in front where that is needed; undefined: not allowed. */
  readonly nsenter: Command | undefined;
}

/**
 * Waits until nothing is under way in the container: a connection is busy while it received something after it last
 * sent, or sent within 300 ms (cutover.md of the design, measured). Two quiet looks end it; `limitSeconds` at most. A
 * fixed wait where the login user may not look.
 */
export function drain(container: string | Raw, { port, limitSeconds, pastSeconds = 0, nsenter }: Drain): Shell {
  const left = (seconds: number) => Math.max(0, seconds - Math.floor(pastSeconds));
  const fixed = sh`sleep ${left(Math.min(limitSeconds, FIXED_DRAIN_SECONDS))}; echo "waited, cannot look at connections"`;
  if (!nsenter) return fixed;
  const look: Command = [
    ...nsenter,
    "--target",
    raw('"$pid"'),
    "--net",
    "ss",
    "-tinH",
    "state",
    "established",
    `( sport = :${port} )`,
  ];
  return sh`pid=$(docker inspect --type container --format '{{.State.Pid}}' ${container} 2>/dev/null) || pid=0
[ "$pid" != 0 ] || exit 0
if ! ${look} >/dev/null 2>&1; then ${fixed}; exit 0; fi
end=$(( $(date +%s) + ${Math.max(1, left(limitSeconds))} )); quiet=0; busy=0
while [ "$(date +%s)" -lt "$end" ]; do
  busy=$(${look} 2>/dev/null | awk ${BUSY})
  if [ "$busy" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
  [ "$quiet" -lt 2 ] || exit 0
  sleep 0.1 2>/dev/null || sleep 1
done
[ "$busy" = 0 ] || echo "still busy after ${raw(String(limitSeconds))} s: $busy connections"`;
}

const FIXED_DRAIN_SECONDS = 5;
// `ss` leaves out what is 0: a connection that sent this very millisecond has no lastsnd.
const BUSY = String.raw`{ s = 0; r = 0; seen = 0; n = split($0, w, " ")
  for (i = 1; i <= n; i++) { if (w[i] ~ /^lastsnd:/) s = substr(w[i], 9) + 0; if (w[i] ~ /^lastrcv:/) r = substr(w[i], 9) + 0
    if (w[i] ~ /^(rtt|mss|cwnd|lastsnd|lastrcv):/) seen = 1 }
  if (seen && (r < s || s < 300)) busy++ } END { print busy + 0 }`;

/** Stops it, and makes sure that no reboot brings it back. */
export function stopForGood(container: string | Raw, stopWaitSeconds: number | undefined): Shell {
  const wait = stopWaitSeconds === undefined ? [] : ["-t", stopWaitSeconds];
  return sh`${docker("update", "--restart", "no", container)} >/dev/null 2>&1 || true
${docker("stop", ...wait, container)}`;
}

/** A reboot from here on revives this one. */
export function keepAlive(container: string): Command {
  return docker("update", "--restart", "unless-stopped", container);
}

export function releaseRestart(container: string | Raw): Command {
  return docker("update", "--restart", "no", container);
}

/** A container that is watched. */
export interface Watched {
  readonly name: string;
  /** It was started for this deploy, so any restart counts; else only those from now on do. */
  readonly fresh: boolean;
  /** How much of its log is shown when it fails. */
  readonly logLines?: number;
}

/**
 * For `seconds`, none of the containers may restart, exit, be killed for memory or turn unhealthy.
 * Ends with NOT_HEALTHY and the evidence.
 */
export function watch(containers: readonly Watched[], seconds: number): Shell {
  const format =
    "{{.State.Status}} {{.RestartCount}} {{.State.OOMKilled}} {{if .State.Health}}{{.State.Health.Status}}{{end}}";
  const container = raw('"$1"');
  const baselines = containers.map(({ name, fresh }, i) =>
    fresh
      ? sh`${raw(`restarts${i}`)}=0`
      : sh`${raw(`restarts${i}`)}=$(docker inspect --type container --format '{{.RestartCount}}' ${name} 2>/dev/null) || true`,
  );
  const looks = containers.map(
    ({ name, logLines = LOG_LINES }, i) => sh`  look ${name} ${raw(`"$restarts${i}"`)} ${logLines}`,
  );
  return sh`look() {
  ${stateOf(container, format)}
  case $state in
    "running $2 false unhealthy") bad="turned unhealthy" ;;
    "running $2 false "*) return 0 ;;
    *) bad="did not stay up: $state" ;;
  esac
  echo "The new container $1 $bad" >&2; ${evidence(container, raw('"$3"'))}; exit ${NOT_HEALTHY}
}
end=$(( $(date +%s) + ${seconds} ))
${lines(...baselines)}
while :; do
${lines(...looks)}
  [ "$(date +%s)" -lt "$end" ] || exit 0
  sleep 0.3 2>/dev/null || sleep 1
done`;
}

/** Half a minute for an engine that is just starting again. */
export function waitForDocker(): Shell {
  return sh`tries=0
until docker version >/dev/null 2>&1; do
  tries=$((tries + 1)); [ "$tries" -lt 30 ] || { docker version; exit 1; }
  sleep 1
done`;
}

/** Runs `body`, whatever it ends with. */
export function anyway(body: Body): Shell {
  return sh`{ ${body}; } || true`;
}
