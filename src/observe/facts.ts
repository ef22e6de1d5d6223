import { record } from "../config/schema-parts.ts";
import * as z from "zod/mini";
import { canaryVersion, liveVersions, isVersionsFileFull } from "../commands/versions.ts";
import { REPLACEMENT_CONTAINERS } from "../traefik/replace.ts";
import { ExitCode, MrskError } from "../errors.ts";
import type { ContainerFact, HostFacts, TraefikFact } from "../plan/facts.ts";
import { engineError } from "./engine-errors.ts";
import type { ScriptHost } from "../hosts/host.ts";
import type { ScriptResult } from "../script/result.ts";
import { listenerAddressesOf, listenersOf } from "./listeners.ts";
import { observation, type ObserveOptions } from "./observation.ts";

/** The facts with what `imageSteps` found. */
export function withImage(facts: HostFacts, result: ScriptResult): HostFacts {
  return { ...facts, imageHasCurl: imageHasCurl(result) };
}

function imageHasCurl(result: ScriptResult): boolean | undefined {
  return { yes: true, no: false }[outputOf(result, "image-has-curl")];
}

/** The output of a step that is not in every script. */
function outputOf(result: ScriptResult, id: string): string {
  return result.steps.some((one) => one.id === id) ? result.text(id) : "";
}

/** Observes the host. @throws CommandFailedError, SshError */
export async function observe(host: ScriptHost, options: ObserveOptions): Promise<HostFacts> {
  try {
    return parseFacts(host.name, await host.run(observation(options)));
  } catch (error) {
    throw engineError(error) ?? error;
  }
}

const Labels = z.nullable(record(z.string(), z.string()));
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

/** @param before the facts of the engine; without them, the script has observed the engine as well */
export function parseFacts(host: string, result: ScriptResult, before?: HostFacts): HostFacts {
  const [id = "", home = "", client = "", ...disk] = result.text("login").split("\n");
  const [, uid = "", user = uid] = /^uid=(\d+)(?:\(([^)]*)\))?/.exec(id) ?? [];
  const rights = result.text("root-access");
  const [liveDirectory = "", writable, ...files] = result.text("live-files").split("\n");
  const rules = result.text("redirects").split("\n").filter(Boolean);
  const listed = result
    .text("listed")
    .split("\n")
    .map((line) => line.split("\t"));
  const inspected = result.text("inspected").split("\n");
  const running = inspected.includes("state running");
  const published = listed.map(([, name = "", , ports = ""]) => ({ name, ports }));
  const linesOf = (start: string) => inspected.filter((line) => line.startsWith(start)).join("\n");
  return {
    host,
    home,
    user,
    root: rights === "",
    sudo: rights !== "none",
    ...engineFacts(before, result),
    freeDiskMegabytes: freeMegabytes(disk),
    runDirectoryWritable: !client.endsWith(" closed"),
    canProbe: !client.startsWith("no"),
    imageHasCurl: imageHasCurl(result),
    containers: jsonLines(host, linesOf('{"id"'), ContainerSchema).map(containerFact).toSorted(newestFirst),
    traefik: jsonLines(host, linesOf('{"image"'), TraefikSchema).map(traefikFact)[0],
    listeners: running ? new Map() : listenersOf(result.text("listeners"), published),
    listenerAddresses: running ? new Map() : listenerAddressesOf(result.text("listeners"), published),
    redirects: rules.includes("redirects"),
    swapLeftovers: [
      ...listed.map(([, name = ""]) => name).filter((name) => REPLACEMENT_CONTAINERS.includes(name)),
      ...rules.filter((word) => word !== "redirects"),
    ],
    liveDirectory,
    liveDirectoryWritable: writable === "writable",
    liveFiles: filesOf(files),
    releases: liveVersions(result.text("releases")),
    canaryRelease: canaryVersion(result.text("releases")),
    releasesFull: isVersionsFileFull(result.text("releases")),
    expansions: pairs(outputOf(result, "variables").split("\n")),
  };
}

type EngineFacts = Pick<
  HostFacts,
  "engineVersion" | "apiVersion" | "clientApiVersion" | "minApiVersion" | "architecture" | "logDriver"
>;

function engineFacts(before: HostFacts | undefined, result: ScriptResult): EngineFacts {
  if (before) {
    const { engineVersion, apiVersion, clientApiVersion, minApiVersion, architecture, logDriver } = before;
    return { engineVersion, apiVersion, clientApiVersion, minApiVersion, architecture, logDriver };
  }
  const printed = result.text("engine");
  const [, engineVersion = "", apiVersion = "", engine = ""] = /^(\S+) (\S+) ?(.*)$/m.exec(printed) ?? [];
  const [minApiVersion, architecture] = [/"MinAPIVersion":"([\d.]+)"/, /"Arch":"(\w+)"/].map(
    (of) => of.exec(engine)?.[1],
  );
  const [clientApiVersion = apiVersion, logDriver] = [/^client ([\d.]+)/m, /^log driver (\S+)/m].map(
    (of) => of.exec(printed)?.[1],
  );
  return { engineVersion, apiVersion, clientApiVersion, minApiVersion, architecture, logDriver };
}

/** Parses `df -Pm`: the third number of a line is the available space. */
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

/** Parses each line that begins with `{`. @throws MrskError if it is not JSON, or does not match the schema */
export function jsonLines<T>(host: string, text: string, schema: z.ZodMiniType<T>): T[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => {
      const parsed = schema.safeParse(parsedJson(line));
      if (parsed.success) return parsed.data;
      throw new MrskError(ExitCode.remote, `${host}: unexpected output of docker inspect: ${shortened(line)}`, {
        hint: "Compare with `docker version` and `docker ps --all` there: a wrapper around docker may change its output.",
        cause: parsed.error,
      });
    });
}

/** undefined if the text is not JSON: no schema accepts it. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const SHOWN_CHARACTERS = 200;

function shortened(line: string): string {
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

function containerFact(inspected: z.infer<typeof ContainerSchema>): ContainerFact {
  const labels = new Map(Object.entries(inspected.labels ?? {}));
  return {
    ...inspected,
    name: inspected.name.replace(/^\//, ""),
    health: inspected.health ?? undefined,
    role: labels.get("role"),
    destination: labels.get("destination") || undefined,
    labels,
  };
}

function traefikFact(inspected: z.infer<typeof TraefikSchema>): TraefikFact {
  return {
    image: inspected.image,
    state: inspected.state,
    args: inspected.args ?? [],
    address: Object.values(inspected.networks ?? {}).find((network) => network.IPAddress)?.IPAddress,
    labels: new Map(Object.entries(inspected.labels ?? {})),
    networks: Object.keys(inspected.networks ?? {}),
    mounts: new Map((inspected.mounts ?? []).map((mount) => [mount.Destination, mount.Source ?? ""])),
    ports: Object.values(inspected.ports ?? {}).flatMap((bindings) =>
      (bindings ?? []).map((b) => `${b.HostIp || "0.0.0.0"}:${b.HostPort}`),
    ),
  };
}

/** Containers of the same time keep docker's order, which is newest first as well. */
function newestFirst(a: { created: string }, b: { created: string }): number {
  if (a.created === b.created) return 0;
  return a.created < b.created ? 1 : -1;
}
