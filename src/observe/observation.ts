import { call } from "../script/call.ts";
import { docker, lines, raw, type Shell, sh } from "../script/command.ts";
import { IMAGES_FILE, detectCurl } from "../commands/image-check.ts";
import { printVersions } from "../commands/versions.ts";
import { ENGINE_DRIVER } from "../commands/logging.ts";
import { attempt, type Captured, capture, type Script, script, type Step, step } from "../script/script.ts";
import { LIVE_MOUNT } from "../commands/traefik.ts";
import { TRAEFIK } from "../shell/constants.ts";

export interface ObserveOptions {
  readonly service: string;
  /** The names whose values are needed for `${NAME}`. */
  readonly expansions: readonly string[];
  /** Relative to the home directory. */
  readonly versionsFile: string;
  /** Relative to the home directory. It contains the live files if there is no Traefik yet. */
  readonly runDirectory: string;
  /** The image to test for curl. */
  readonly image?: string | undefined;
}

// Never the complete output of `docker inspect`: it contains the environment. `.ID`, not `.Id`: with `.Id`, docker falls
// back to plain JSON, in which `.State.Health` is an error for a container without a health check.
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

/** One script that collects all facts of a host. Changes nothing, except the cache of images with curl. */
export function observation(options: ObserveOptions): Script {
  return script("Observe the host", observationSteps(options));
}

/** The same as part of another script. `parseFacts` reads the result. */
export function observationSteps(options: ObserveOptions, base?: Captured): Step[] {
  return [step("Docker engine", engineVersions(), "engine"), ...changingSteps(options, base)];
}

/**
 * The steps for the facts that may change from minute to minute.
 * @param base the image's first layer, if a previous step prints it
 */
export function changingSteps(
  { service, expansions, versionsFile, runDirectory, image }: ObserveOptions,
  base?: Captured,
): Step[] {
  const login = capture("login", "Login user", call("print_login", runDirectory));
  const access = capture("root-access", "Login user's rights", call("print_root_access", login.output));
  const listed = capture("listed", "List containers", call("list_containers"));
  const inspected = capture("inspected", "Inspect containers", inspectContainers(service, listed.output));
  return [
    login,
    access,
    listed,
    inspected,
    attempt("Listeners", call("print_listeners", inspected.output, access.output), "listeners"),
    attempt("Swap", call("print_redirects", access.output), "redirects"),
    step("Live files", liveFiles(service, runDirectory, inspected.output, access.output), "live-files"),
    attempt("Releases", printVersions(versionsFile), "releases"),
    ...imageSteps({ image, runDirectory }, base),
    ...(expansions.length === 0 ? [] : [step("Variables", lines(...expansions.map(valueOf)), "variables")]),
  ];
}

function valueOf(name: string): Shell {
  return sh`printf '%s %s\n' ${name} "$(printf %s "${raw(`\${${name}-}`)}" | base64 | tr -d '\n')"`;
}

/** The steps for the facts that need the image on the host. @param base as for `changingSteps` */
export function imageSteps(
  { image, runDirectory }: Pick<ObserveOptions, "image" | "runDirectory">,
  base?: Captured,
): Step[] {
  if (image === undefined) return [];
  return [attempt("Image", detectCurl(image, `${runDirectory}/${IMAGES_FILE}`, base), "image-has-curl")];
}

/** Prints the service's containers and Traefik as lines of JSON; for Traefik also lines `state STATE` and `live DIRECTORY`. */
function inspectContainers(service: string, listed: Captured): Shell {
  const live = `{{range .Mounts}}{{if eq .Destination "${LIVE_MOUNT}"}}live {{.Source}}{{println}}{{end}}{{end}}`;
  const format = `{{if eq .Name "/${TRAEFIK}"}}state {{.State.Status}}{{println}}${live}${TRAEFIK_FORMAT}{{else}}${CONTAINER_FORMAT}{{end}}`;
  return call("inspect_service", service, format, listed);
}

/**
 * Prints a line with the version, the API version and the engine's details as JSON, since not every engine has a minimum
 * API version; then the client's API version and the default log driver. Both commands run in parallel. If docker fails,
 * prints `docker --version`, which identifies Podman.
 */
function engineVersions(): Shell {
  const format = "{{.Server.Version}} {{.Server.APIVersion}} {{json .Server}}{{println}}client {{.Client.APIVersion}}";
  return sh`{ echo "log driver $(${ENGINE_DRIVER} 2>/dev/null)"; } | {
  out=$(${docker("version", "--format", format)}) || { status=$?; docker --version >&2; exit "$status"; }
  printf '%s\n' "$out"; cat
}`;
}

/** Prints the directory, `writable` or `closed`, and each file: its name, then its lines in base64, indented by a space. */
function liveFiles(service: string, runDirectory: string, inspected: Captured, access: Captured): Shell {
  return call("print_live_files", globSafe(service), runDirectory, inspected, access);
}

function globSafe(service: string): string {
  return service.replaceAll(/[^A-Za-z0-9_.-]/g, "?");
}
