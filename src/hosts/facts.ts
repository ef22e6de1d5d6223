import * as z from "zod/mini";
import { type Command, docker, lines, raw, render, type Shell, sh } from "../commands/command.ts";
import { attempt, capture, type Script, script, type Step, step } from "../commands/script.ts";
import { CommandFailedError, ExitCode, MrskError } from "../errors.ts";
import { IMAGES_FILE, lookForCurl } from "../commands/image-check.ts";
import { canaryRelease, releasedVersions } from "../commands/releases.ts";
import { LIVE_MOUNT, TRAEFIK } from "../commands/traefik.ts";
import { SHARED_DIRECTORY } from "../commands/traefik-boot.ts";
import { lookForRules, swapContainers } from "../commands/traefik-swap.ts";
import type { ContainerFact, HostFacts, TraefikFact } from "../plan/facts.ts";
import type { ScriptHost, ScriptResult } from "./host.ts";
import { listeners, listenersOf } from "./listeners.ts";

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
  return script("Look at the host", observationSteps(question));
}

/** The same as part of another script; `parseFacts` reads what it ended with. */
export function observationSteps(question: Question): Step[] {
  return [step("Docker engine", engineVersions()), ...changingSteps(question)];
}

/** What changes from minute to minute. */
export function changingSteps({ service, expansions, releasesFile, runDirectory, image }: Question): Step[] {
  return [
    // $as: how root is reached. Nothing for root itself, else sudo, where it asks for no password; else "nobody".
    capture(
      "as",
      "Login user's rights",
      sh`if [ "$(id -u)" = 0 ]; then echo; elif sudo -n true 2>/dev/null; then echo "sudo -n"; else echo nobody; fi`,
    ),
    step(
      "Login user",
      sh`id; pwd -P; uname -m
if command -v curl >/dev/null || command -v wget >/dev/null; then echo yes; else echo no; fi
df -Pm . || true`,
    ),
    capture("all", "List containers", listContainers()),
    capture("seen", "Inspect containers", inspectContainers(service)),
    attempt("Listeners", listeners()),
    attempt("Swap", lookForRules()),
    step("Live files", liveFiles(service, runDirectory)),
    attempt("Releases", sh`[ ! -f ${releasesFile} ] || tail -n 100 ${releasesFile}`),
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

/** The facts with what `imageSteps` found. */
export function withImage(facts: HostFacts, result: ScriptResult): HostFacts {
  return { ...facts, imageHasCurl: imageHasCurl(result) };
}

function imageHasCurl(result: ScriptResult): boolean | undefined {
  return { yes: true, no: false }[said(result, "Image")];
}

/** What a step said that is not in every script. */
function said(result: ScriptResult, name: string): string {
  return result.steps.some((one) => one.name === name) ? result.text(name) : "";
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
  ids=$(printf '%s\n' "$all" | awk -F '\t' -v service=${service} '$3 == service || $2 == "traefik" { print $1 }')
  [ -z "$ids" ] || docker inspect --type container --format ${format} $ids
}
look 2>/dev/null || { all=$(${listContainers()}); look; }`;
}

/** Version, API version, and the rest as JSON: the oldest API it speaks is not known to every engine. */
function engineVersions(): Command {
  return docker("version", "--format", "{{.Server.Version}} {{.Server.APIVersion}} {{json .Server}}");
}

/** The directory, whether it can be written, and each file: its name, then its lines in base64, each with a space in front. */
function liveFiles(service: string, runDirectory: string): Shell {
  const list = sh`for file in "$1"/${raw(globSafe(service))}-*.yml; do
  [ ! -f "$file" ] || { name=${raw("${file##*/}")}; printf '%s\n' "${raw("${name%.yml}")}"; base64 <"$file" | sed 's/^/ /'; }
done`;
  const text = render(list, ({ name }) => {
    throw new MrskError(ExitCode.bug, `the secret ${name} would be in an argument list`);
  });
  return sh`line='
'
case $line$seen in
  *"${raw("${line}")}live "*) seen=$line$seen; dir=${raw('${seen#*"${line}live "}; dir=${dir%%"$line"*}')} ;;
  *) if [ -z "$as" ]; then dir=${SHARED_DIRECTORY}/traefik; else dir=$(pwd -P)/${runDirectory}/traefik; fi ;;
esac
printf '%s\n' "$dir"
probe=$dir; while [ ! -e "$probe" ]; do probe=$(dirname "$probe"); done
by=
if [ -w "$probe" ]; then echo writable; elif [ "$as" = nobody ]; then echo closed; else by=$as; echo writable; fi
set -- "$dir"
if [ -z "$by" ]; then ${list}
else $by sh -c ${text} sh "$dir"
fi`;
}

function globSafe(service: string): string {
  return service.replaceAll(/[^A-Za-z0-9_.-]/g, "?");
}

/** Asks the host. @throws CommandFailedError, SshError */
export async function observe(host: ScriptHost, question: Question): Promise<HostFacts> {
  try {
    return parseFacts(host.name, await host.run(observation(question)));
  } catch (error) {
    if (!(error instanceof CommandFailedError) || !/permission denied/i.test(error.output)) throw error;
    throw new MrskError(ExitCode.remote, error.message, {
      hint: "The login user may not use docker: add it to the group docker there (usermod -aG docker USER), or set ssh.user.",
      cause: error,
    });
  }
}

const Labels = z.nullable(z.record(z.string(), z.string()));
const ContainerSchema = z.object({
  id: z.string(),
  name: z.string(),
  created: z.string(),
  state: z.string(),
  health: z.nullable(z.string()),
  image: z.string(),
  restartPolicy: z.string(),
  restartCount: z.number(),
  labels: Labels,
});
const TraefikSchema = z.object({
  image: z.string(),
  state: z.string(),
  args: z.nullable(z.array(z.string())),
  networks: z.nullable(z.record(z.string(), z.object({ IPAddress: z.string() }))),
  labels: Labels,
  mounts: z.nullable(z.array(z.object({ Source: z.optional(z.string()), Destination: z.string() }))),
  ports: z.nullable(z.record(z.string(), z.nullable(z.array(z.object({ HostIp: z.string(), HostPort: z.string() }))))),
});

/** @param before facts of the host; without, the script has looked at its engine too */
export function parseFacts(host: string, result: ScriptResult, before?: HostFacts): HostFacts {
  const [id = "", home = "", architecture = "", asks, ...disk] = result.text("Login user").split("\n");
  const [, uid = "", user = uid] = /^uid=(\d+)(?:\(([^)]*)\))?/.exec(id) ?? [];
  const rights = result.text("Login user's rights");
  const [liveDirectory = "", writable, ...files] = result.text("Live files").split("\n");
  const rules = result.text("Swap").split("\n").filter(Boolean);
  const listed = result
    .text("List containers")
    .split("\n")
    .map((line) => line.split("\t"));
  const inspected = result.text("Inspect containers").split("\n");
  const running = inspected.includes("state running");
  const linesOf = (start: string) => inspected.filter((line) => line.startsWith(start)).join("\n");
  return {
    host,
    home,
    user,
    root: uid === "0",
    sudo: rights !== "nobody",
    architecture,
    ...engineFacts(before, result),
    freeDiskMegabytes: freeMegabytes(disk),
    canAsk: asks !== "no",
    imageHasCurl: imageHasCurl(result),
    containers: jsonLines(host, linesOf('{"id"'), ContainerSchema)
      .map(containerFact)
      .toSorted((a, b) => (a.created < b.created ? 1 : -1)),
    traefik: jsonLines(host, linesOf('{"image"'), TraefikSchema).map(traefikFact)[0],
    listeners: running
      ? new Map()
      : listenersOf(
          result.text("Listeners"),
          listed.map(([, name = "", , ports = ""]) => ({ name, ports })),
        ),
    redirects: rules.includes("redirects"),
    swapLeftovers: [
      ...swapContainers(listed.map(([, name = ""]) => name)),
      ...rules.filter((word) => word !== "redirects"),
    ],
    liveDirectory,
    liveDirectoryWritable: writable === "writable",
    liveFiles: filesOf(files),
    releases: releasedVersions(result.text("Releases")),
    canaryRelease: canaryRelease(result.text("Releases")),
    expansions: pairs(said(result, "Variables").split("\n")),
  };
}

function engineFacts(
  before: HostFacts | undefined,
  result: ScriptResult,
): Pick<HostFacts, "engineVersion" | "apiVersion" | "minApiVersion"> {
  if (before) {
    const { engineVersion, apiVersion, minApiVersion } = before;
    return { engineVersion, apiVersion, minApiVersion };
  }
  const [, engineVersion = "", apiVersion = "", engine = ""] =
    /^(\S+) (\S+) ?(.*)$/s.exec(result.text("Docker engine")) ?? [];
  return { engineVersion, apiVersion, minApiVersion: /"MinAPIVersion":"([\d.]+)"/.exec(engine)?.[1] };
}

/** From what `df -Pm` prints: available blocks are the third number of a line. */
function freeMegabytes(df: readonly string[]): number | undefined {
  const [, available] = df.map((line) => /\s\d+\s+\d+\s+(\d+)\s+\d+%/.exec(line)).find(Boolean) ?? [];
  return available === undefined ? undefined : Number(available);
}

function filesOf(printed: readonly string[]): Map<string, string> {
  const files = new Map<string, string>();
  let name = "";
  for (const line of printed.filter(Boolean)) {
    if (line.startsWith(" ")) files.set(name, (files.get(name) ?? "") + line.trim());
    else files.set((name = line), "");
  }
  return new Map(Array.from(files, ([file, encoded]) => [file, Buffer.from(encoded, "base64").toString()]));
}

function pairs(entries: readonly string[]): Map<string, string> {
  const split = entries.filter(Boolean).map((line) => line.split(" "));
  return new Map(split.map(([name = "", encoded = ""]) => [name, Buffer.from(encoded, "base64").toString()]));
}

/** Each line that is JSON, as the schema has it. @throws MrskError for another shape */
export function jsonLines<T>(host: string, text: string, schema: z.ZodMiniType<T>): T[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => {
      const parsed = schema.safeParse(JSON.parse(line));
      if (parsed.success) return parsed.data;
      throw new MrskError(ExitCode.remote, `${host}: docker inspect said something unexpected: ${line}`, {
        cause: parsed.error,
      });
    });
}

function containerFact(seen: z.infer<typeof ContainerSchema>): ContainerFact {
  const labels = new Map(Object.entries(seen.labels ?? {}));
  return {
    ...seen,
    name: seen.name.replace(/^\//, ""),
    health: seen.health ?? undefined,
    role: labels.get("role"),
    destination: labels.get("destination") || undefined,
    labels,
  };
}

function traefikFact(seen: z.infer<typeof TraefikSchema>): TraefikFact {
  return {
    image: seen.image,
    state: seen.state,
    args: seen.args ?? [],
    address: Object.values(seen.networks ?? {}).find((network) => network.IPAddress)?.IPAddress,
    labels: new Map(Object.entries(seen.labels ?? {})),
    networks: Object.keys(seen.networks ?? {}),
    mounts: new Map((seen.mounts ?? []).map((mount) => [mount.Destination, mount.Source ?? ""])),
    ports: Object.values(seen.ports ?? {}).flatMap((bindings) =>
      (bindings ?? []).map((b) => `${b.HostIp || "0.0.0.0"}:${b.HostPort}`),
    ),
  };
}
