import { asArgument, type Command, docker, lines, raw, type Shell, sh } from "../script/command.ts";
import { IMAGES_FILE, lookForCurl } from "../commands/image-check.ts";
import { showReleases } from "../commands/releases.ts";
import { attempt, capture, type Script, script, type Step, step } from "../script/script.ts";
import { ENGINE_DRIVER } from "../commands/logging.ts";
import { LIVE_MOUNT, TRAEFIK } from "../commands/traefik.ts";
import { SHARED_DIRECTORY } from "../commands/traefik-boot.ts";
import { lookForRules } from "../traefik/swap.ts";
import { nearestExisting } from "../commands/write-live-file.ts";
import { listeners } from "./listeners.ts";

export interface Question {
  readonly service: string;
  /** Names of the `${NAME}`s whose values are wanted. */
  readonly expansions: readonly string[];
  /** Relative to the login directory. */
  readonly releasesFile: string;
  /** Where live files go when no Traefik says otherwise, relative to the login directory. */
  readonly runDirectory: string;
  /** Of which it matters whether curl runs in it. */
  readonly image?: string | undefined;
}

// Never a whole `inspect`: that holds the environment. `.ID`, not `.Id`: the latter makes docker fall back to plain
// JSON, where a container without a health check has no `.State.Health` to ask for.
const CONTAINER_FORMAT = [
  '{"id":{{json .ID}}',
  '"name":{{json .Name}}',
  '"created":{{json .Created}}',
  '"state":{{json .State.Status}}',
  '"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}}',
  '"image":{{json .Config.Image}}',
  '"restartPolicy":{{json .HostConfig.RestartPolicy.Name}}',
  '"restartCount":{{json .RestartCount}}',
  '"labels":{{json .Config.Labels}}}',
].join(",");

const TRAEFIK_FORMAT = [
  '{"image":{{json .Config.Image}}',
  '"state":{{json .State.Status}}',
  '"args":{{json .Args}}',
  '"networks":{{json .NetworkSettings.Networks}}',
  '"mounts":{{json .Mounts}}',
  '"labels":{{json .Config.Labels}}',
  '"ports":{{json .HostConfig.PortBindings}}}',
].join(",");

/** One script that asks a host everything a plan needs. Changes nothing, but remembers what it found about an image. */
export function observation(question: Question): Script {
  return script("Observe the host", observationSteps(question));
}

/** The same as part of another script; `parseFacts` reads what it ended with. */
export function observationSteps(question: Question): Step[] {
  return [step("Docker engine", engineVersions()), ...changingSteps(question)];
}

/** What changes from minute to minute. */
export function changingSteps({ service, expansions, releasesFile, runDirectory, image }: Question): Step[] {
  return [
    capture(
      "me",
      "Login user",
      sh`id; pwd -P
if command -v curl >/dev/null || command -v wget >/dev/null; then asks=yes; else asks=no; fi
near=${runDirectory}; ${nearestExisting("near")}
if [ -d "$near" ] && [ -w "$near" ]; then echo "$asks"; else echo "$asks closed"; fi
df -Pm . || true`,
    ),
    // $as: how root is reached. Nothing for root itself, else sudo, where it asks for no password; else "nobody".
    capture(
      "as",
      "Login user's rights",
      sh`case $me in uid=0[!0-9]*) echo ;; *) if sudo -n true 2>/dev/null; then echo "sudo -n"; else echo nobody; fi ;; esac`,
    ),
    capture("all", "List containers", listContainers()),
    capture("seen", "Inspect containers", inspectContainers(service)),
    attempt("Listeners", listeners()),
    attempt("Swap", lookForRules()),
    step("Live files", liveFiles(service, runDirectory)),
    attempt("Releases", showReleases(releasesFile)),
    ...imageSteps({ image, runDirectory }),
    ...(expansions.length === 0 ? [] : [step("Variables", lines(...expansions.map(valueOf)))]),
  ];
}

function valueOf(name: string): Shell {
  return sh`printf '%s %s\n' ${name} "$(printf %s "${raw(`\${${name}-}`)}" | base64 | tr -d '\n')"`;
}

/** What of a host is not known before it has the image. */
export function imageSteps({ image, runDirectory }: Pick<Question, "image" | "runDirectory">): Step[] {
  return image === undefined ? [] : [attempt("Image", lookForCurl(image, `${runDirectory}/${IMAGES_FILE}`))];
}

// A docker command takes tens of milliseconds on a host: one lists, one inspects, and the other steps read what they said.

/** A line for each container on the host: id, name, service, published ports, with tabs between. */
function listContainers(): Command {
  return docker(
    "ps",
    "--all",
    "--no-trunc",
    "--format",
    String.raw`{{.ID}}\t{{.Names}}\t{{.Label "service"}}\t{{.Ports}}`,
  );
}

/** The service's containers and Traefik, JSON a line; of Traefik also, in plain words, its state and where its live files are. */
function inspectContainers(service: string): Shell {
  const live = `{{range .Mounts}}{{if eq .Destination "${LIVE_MOUNT}"}}live {{.Source}}{{println}}{{end}}{{end}}`;
  const format = `{{if eq .Name "/${TRAEFIK}"}}state {{.State.Status}}{{println}}${live}${TRAEFIK_FORMAT}{{else}}${CONTAINER_FORMAT}{{end}}`;
  // A container that goes away between the two commands is no reason to fail: list once more.
  return sh`look() {
  ids= rest=$all
  while [ -n "$rest" ]; do
    one=${raw('${rest%%"$line"*}; rest=${rest#"$one"}; rest=${rest#"$line"}')}
    id=${raw('${one%%"$tab"*}; one=${one#*"$tab"}; name=${one%%"$tab"*}; one=${one#*"$tab"}')}
    if [ "$name" = ${TRAEFIK} ] || [ "${raw('${one%%"$tab"*}')}" = ${service} ]; then ids="$ids $id"; fi
  done
  [ -z "$ids" ] || docker inspect --type container --format ${format} $ids
}
line='
' tab='	'
look 2>/dev/null || { all=$(${listContainers()}); look; }`;
}

/**
 * A line with the version, the API version, and the rest as JSON, since the oldest API it speaks is not known to every
 * engine; the API that the command itself speaks with it; the default log driver. Both commands run at once. A `docker`
 * that fails says what it is.
 */
function engineVersions(): Shell {
  const format = "{{.Server.Version}} {{.Server.APIVersion}} {{json .Server}}{{println}}client {{.Client.APIVersion}}";
  return sh`{ echo "log driver $(${ENGINE_DRIVER} 2>/dev/null)"; } | {
  said=$(${docker("version", "--format", format)}) || { status=$?; docker --version >&2; exit "$status"; }
  printf '%s\n' "$said"; cat
}`;
}

/** The directory, whether it can be written, and each file: its name, then its lines in base64, each with a space in front. */
function liveFiles(service: string, runDirectory: string): Shell {
  const list = sh`for file in "$1"/${raw(globSafe(service))}-*.yml; do
  [ ! -f "$file" ] || { name=${raw("${file##*/}")}; printf '%s\n' "${raw("${name%.yml}")}"; base64 <"$file" | sed 's/^/ /'; }
done`;
  return sh`line='
'
case $line$seen in
  *"${raw("${line}")}live "*) seen=$line$seen; dir=${raw('${seen#*"${line}live "}; dir=${dir%%"$line"*}')} ;;
  *) if [ -z "$as" ]; then dir=${SHARED_DIRECTORY}/traefik; else home=${raw('${me#*"$line"}; home=${home%%"$line"*}')}; dir=$home/${runDirectory}/traefik; fi ;;
esac
printf '%s\n' "$dir"
probe=$dir; ${nearestExisting("probe")}
by=
if [ -w "$probe" ]; then echo writable; elif [ "$as" = nobody ]; then echo closed; else by=$as; echo writable; fi
set -- "$dir"
if [ -z "$by" ]; then ${list}
else $by sh -c ${asArgument(list)} sh "$dir"
fi`;
}

function globSafe(service: string): string {
  return service.replaceAll(/[^A-Za-z0-9_.-]/g, "?");
}
