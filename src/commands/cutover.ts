import { LOG_LINES } from "../config/resolve-parts.ts";
import { ASK, whyNotRouted } from "./ask.ts";
import { CLOCK, hundredths } from "./clock.ts";
import { lines, type Raw, raw, type Shell, sh, type Word } from "../script/command.ts";
import { TRAEFIK } from "./traefik.ts";

/** Exit status of a wait that ended without the answer, so that the flow can tell it from a broken command. */
export const NOT_HEALTHY = 66;
export const NO_MARK = 67;

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

// A shell's own word for it, or docker's, which could not even start the shell. `curl … || exit 1` hides the 127.
const CANNOT_RUN =
  "^12[67] |^-1 .*(executable file not found|no such file or directory|permission denied)|curl: (command )?not found";

/** True when docker's last three looks say that the check itself cannot be run, which is no opinion of the app. */
function cannotRun(container: string): Shell {
  const log = "{{if .State.Health}}{{range .State.Health.Log}}{{println .ExitCode (json .Output)}}{{end}}{{end}}";
  return sh`[ "$(docker inspect --type container --format ${log} ${container} 2>/dev/null | grep . | tail -n 3 | grep -cE ${CANNOT_RUN})" = 3 ]`;
}

/** How long a container may take to put its health check's command in place. */
const ARRIVING_SECONDS = 5;

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
  now=$(date +%s)
  case $state in
    "running healthy") break ;;
    "running ") [ $((now - since)) -lt ${steadySeconds} ] || break ;;
    "running "*)
      if [ $((now - since)) -ge ${ARRIVING_SECONDS} ] && ${cannotRun(container)}; then
        echo "Docker cannot run the health check in this image: set healthcheck.cmd to a command that it has" >&2
        ${evidence(container, logLines)}; exit ${NOT_HEALTHY}
      fi ;;
    "created "*) ;;
    *) echo "The container does not run: $state" >&2; ${evidence(container, logLines)}; exit ${NOT_HEALTHY} ;;
  esac
  if [ "$now" -ge "$end" ] && [ "$state" != "running " ]; then
    echo "Not healthy after ${raw(String(deadlineSeconds))} s: $state" >&2; ${evidence(container, logLines)}; exit ${NOT_HEALTHY}
  fi
  sleep 0.2 2>/dev/null || sleep 1
done
echo "$state"`;
}

export interface PreviewQuestion {
  /** `http://127.0.0.1:18082`, Traefik's own address, or what sets `$base` to it on the host. */
  readonly base: string | Shell;
  /** The unguessable name that the preview router answers to. */
  readonly hostName: string;
  readonly path: string;
  /** The answer must carry it, or it came from another container. */
  readonly mark: string;
}

function baseOf({ base }: PreviewQuestion): Shell {
  return typeof base === "string" ? sh`base=${base}` : base;
}

const REFUSED = "Traefik did not take the live file within 5 s: a bad file stops the changes of all";

/** The lines of Traefik's log that say which file it cannot read: one such file stops the changes of all. */
function fileRefusals(since: Word): Shell {
  return sh`docker logs --since ${since} ${TRAEFIK} 2>&1 | grep -F 'collecting file configs' | tail -n 3`;
}

/**
 * Makes Traefik list the containers anew, by one that comes and goes. It lists them when it starts and then waits for
 * events: what a busy host starts in between is not seen until something else happens.
 */
function nudge(): Shell {
  return sh`image=$(docker inspect --type container --format '{{.Config.Image}}' ${TRAEFIK} 2>/dev/null) && docker run --rm --network none "$image" version >/dev/null 2>&1 || true`;
}

/** Most apps are there soon, and are asked more often at first. */
const EAGER_SECONDS = 5;
/** Docker takes as long as several of Traefik's answers. */
const ASKED_PER_LOOK = 4;

/**
 * Asks through Traefik until the container behind the preview answers 2xx with the mark, twice in a row. The image needs
 * nothing for that. Ends with NOT_HEALTHY, the evidence, and why Traefik may not route to it (`hints` among it).
 */
export function waitForPreview(
  container: string,
  question: PreviewQuestion,
  deadlineSeconds: number,
  logLines = LOG_LINES,
  hints: readonly string[] = [],
): Shell {
  return sh`${ASK}
${CLOCK}
${baseOf(question)}
clock; began=$now; end=$((now + ${hundredths(deadlineSeconds)})); good=0; nudged= asked=0
while :; do
  answer=$(ask ${question.hostName} "$base"${question.path} 10) || answer=
  case $answer in
    "HTTP/1."?" "2[0-9][0-9]*${`X-Mrsk-Live: ${question.mark}`}*) good=$((good + 1)); [ "$good" -lt 2 ] || break; continue ;;
  esac
  good=0; asked=$((asked + 1))
  [ $((asked % ${ASKED_PER_LOOK})) != 1 ] || ${stateOf(container, "{{.State.Status}}")}
  case $state in running|created) ;; *) echo "The container does not run: $state" >&2; ${evidence(container, logLines)}; exit ${NOT_HEALTHY} ;; esac
  clock
  case $answer in "HTTP/1."?" 404"*) [ -n "$nudged" ] || [ $((now - began)) -lt 300 ] || { nudged=yes; ${nudge()}; } ;; esac
  if [ $((now - began)) -ge 500 ]; then
    refusal=$(${fileRefusals(raw('"$(((now - began) / 100 + 2))s"'))}) || refusal=
    [ -z "$refusal" ] || { printf '%s\n%s\n' ${REFUSED} "$refusal" >&2; exit ${NO_MARK}; }
  fi
  if [ "$now" -ge "$end" ]; then
    printf 'No good answer at %s after %s s. The last one: %s\n' ${question.path} ${deadlineSeconds} "$(printf '%s' "${raw("${answer:-none}")}" | head -n 1)" >&2
    ${whyNotRouted(container, hints)}
    ${evidence(container, logLines)}; exit ${NOT_HEALTHY}
  fi
  if [ $((now - began)) -lt ${hundredths(EAGER_SECONDS)} ]; then pause=0.03; else pause=0.1; fi
  sleep "$pause" 2>/dev/null || sleep 1
done`;
}

/**
 * Asks through Traefik until the container behind the preview answers anything of its own, with the mark, twice in a row:
 * for a version that was live before, whose health path may be another one.
 */
export function waitForAnswer(question: PreviewQuestion, deadlineSeconds: number): Shell {
  return sh`${ASK}
${baseOf(question)}
end=$(( $(date +%s) + ${deadlineSeconds} )); good=0
while [ "$good" -lt 2 ]; do
  answer=$(ask ${question.hostName} "$base"${question.path} 10) || answer=
  case $answer in
    "HTTP/1."?" 50"[234]*) good=0 ;;
    *${`X-Mrsk-Live: ${question.mark}`}*) good=$((good + 1)); continue ;;
    *) good=0 ;;
  esac
  if [ "$(date +%s)" -ge "$end" ]; then echo "No answer through Traefik" >&2; exit ${NOT_HEALTHY}; fi
  sleep 0.1 2>/dev/null || sleep 1
done`;
}

/** Asks until the answers carry the mark: Traefik has then loaded the file that was written last. */
export function waitForMark(question: PreviewQuestion): Shell {
  return sh`${ASK}
${baseOf(question)}
tries=0
while :; do
  answer=$(ask ${question.hostName} "$base"${question.path} 5) || answer=
  case $answer in *${`X-Mrsk-Live: ${question.mark}`}|*${`X-Mrsk-Live: ${question.mark}`}[!0-9]*) break ;; esac
  tries=$((tries + 1))
  if [ "$tries" -ge 130 ]; then
    echo ${REFUSED} >&2
    ${fileRefusals("30s")} >&2 || true
    exit ${NO_MARK}
  fi
  sleep 0.03 2>/dev/null || sleep 1
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

/**
 * Waits, for a few seconds at most, until Traefik has noticed that the container behind the preview has stopped. Until then
 * a request that it sends there hangs: nobody has that address any more, and it gives up after half a minute.
 */
export function waitUntilGone(question: PreviewQuestion): Shell {
  return sh`${ASK}
${CLOCK}
${baseOf(question)}
clock; end=$((now + ${hundredths(5)}))
while [ "$now" -lt "$end" ]; do
  answer=$(ask ${question.hostName} "$base"${question.path} 1) || answer=
  case $answer in "HTTP/1."?" 404"*|"HTTP/1."?" 503"*) break ;; esac
  sleep 0.1 2>/dev/null || sleep 1
  clock
done`;
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
${CLOCK}
clock; end=$((now + ${hundredths(seconds)}))
${lines(...baselines)}
while :; do
${lines(...looks)}
  clock
  [ "$now" -lt "$end" ] || exit 0
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
