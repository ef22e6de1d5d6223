import * as z from "zod/mini";
import { type Command, docker, lines, raw, type Shell, sh } from "../commands/command.ts";
import { attempt, capture, type Script, script, type Step, step } from "../commands/script.ts";
import { CommandFailedError, ExitCode, MrskError } from "../errors.ts";
import { IMAGES_FILE, lookForCurl } from "../commands/image-check.ts";
import { canaryRelease, releasedVersions } from "../commands/releases.ts";
import { LIVE_MOUNT, TRAEFIK } from "../commands/traefik.ts";
import { SHARED_DIRECTORY } from "../commands/traefik-boot.ts";
import { lookForSwap } from "../commands/traefik-swap.ts";
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
  readonly image?: string;
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
export function observationSteps({ service, expansions, releasesFile, runDirectory, image }: Question): Step[] {
  return [
    step("Docker engine", engineVersions()),
    step(
      "Login user",
      sh`id -u; id -un; pwd -P; uname -m
if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then echo yes; else echo no; fi
df -Pm . | awk 'NR == 2 { print $4 }'
if command -v curl >/dev/null || command -v wget >/dev/null; then echo yes; else echo no; fi`,
    ),
    capture("all", "List containers", listContainers()),
    capture("seen", "Inspect containers", inspectContainers(service)),
    step("Containers", sh`printf '%s\n' "$seen" | grep '^{"id"' || true`),
    attempt("Traefik", sh`printf '%s\n' "$seen" | grep '^{"image"'`),
    attempt("Listeners", listeners()),
    attempt("Swap", lookForSwap()),
    step("Live files", liveFiles(service, runDirectory)),
    imageStep({ image, runDirectory }),
    attempt("Releases", sh`[ ! -f ${releasesFile} ] || tail -n 100 ${releasesFile}`),
    step(
      "Variables",
      lines(
        sh`:`,
        ...expansions.map(
          (name) => sh`printf '%s %s\n' ${name} "$(printf %s "${raw(`\${${name}-}`)}" | base64 | tr -d '\n')"`,
        ),
      ),
    ),
  ];
}

/** What of a host was not known before it had the image. */
export function imageStep({
  image,
  runDirectory,
}: Pick<Question, "runDirectory"> & { image?: string | undefined }): Step {
  return attempt("Image", image === undefined ? sh`:` : lookForCurl(image, `${runDirectory}/${IMAGES_FILE}`));
}

/** The facts with what `imageStep` found. */
export function withImage(facts: HostFacts, result: ScriptResult): HostFacts {
  return { ...facts, imageHasCurl: imageHasCurl(result) };
}

function imageHasCurl(result: ScriptResult): boolean | undefined {
  return { yes: true, no: false }[result.text("Image")];
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

/** The directory, whether it can be written, and each file in base64. */
function liveFiles(service: string, runDirectory: string): Shell {
  return sh`dir=$(printf '%s\n' "$seen" | sed -n 's/^live //p')
if [ -z "$dir" ]; then if [ "$(id -u)" = 0 ]; then dir=${SHARED_DIRECTORY}/traefik; else dir=$(pwd -P)/${runDirectory}/traefik; fi; fi
printf '%s\n' "$dir"
probe=$dir; while [ ! -e "$probe" ]; do probe=$(dirname "$probe"); done
as=
if [ -w "$probe" ]; then echo writable; elif sudo -n true 2>/dev/null; then as="sudo -n"; echo writable; else echo closed; fi
$as sh -c 'for file in "$1"/${raw(globSafe(service))}-*.yml; do
  [ ! -f "$file" ] || printf "%s %s\n" "$(basename "$file" .yml)" "$(base64 <"$file" | tr -d "\n")"
done' sh "$dir"`;
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

export function parseFacts(host: string, result: ScriptResult): HostFacts {
  const [, engineVersion = "", apiVersion = "", engine] =
    /^(\S+) (\S+) ?(.*)$/s.exec(result.text("Docker engine")) ?? [];
  const [uid, user = "", home = "", architecture = "", sudo, disk, asks] = result.text("Login user").split("\n");
  const [liveDirectory = "", writable, ...files] = result.text("Live files").split("\n");
  const swap = result.text("Swap").split("\n").filter(Boolean);
  const traefik = result.status("Traefik") === 0 ? result.text("Traefik") : "";
  return {
    host,
    home,
    user,
    root: uid === "0",
    sudo: sudo === "yes",
    architecture,
    engineVersion,
    apiVersion,
    minApiVersion: /"MinAPIVersion":"([\d.]+)"/.exec(engine ?? "")?.[1],
    freeDiskMegabytes: disk ? Number(disk) : undefined,
    canAsk: asks !== "no",
    imageHasCurl: imageHasCurl(result),
    containers: jsonLines(host, result.text("Containers"), ContainerSchema)
      .map(containerFact)
      .toSorted((a, b) => (a.created < b.created ? 1 : -1)),
    traefik: jsonLines(host, traefik, TraefikSchema).map(traefikFact)[0],
    listeners: listenersOf(result.text("Listeners")),
    redirects: swap.includes("redirects"),
    swapLeftovers: swap.filter((word) => word !== "redirects"),
    liveDirectory,
    liveDirectoryWritable: writable === "writable",
    liveFiles: pairs(files),
    releases: releasedVersions(result.text("Releases")),
    canaryRelease: canaryRelease(result.text("Releases")),
    expansions: pairs(result.text("Variables").split("\n")),
  };
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
