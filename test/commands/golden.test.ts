import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { AccessoryCommands } from "../../src/commands/accessory.ts";
import { AppCommands, listImages, tagLatest } from "../../src/commands/app.ts";
import { buildAndPush, pull } from "../../src/commands/build.ts";
import { askEngine, builderInfo, checkBuildx, createBuilder, removeBuilder } from "../../src/commands/builder.ts";
import { and, type Body, type Command } from "../../src/script/command.ts";
import { readsVersion3, roleLabels } from "../../src/traefik/labels.ts";
import { probeHealthLog, probeLogs, probeStatus, removeProbe, runProbe, stopProbe } from "../../src/commands/probe.ts";
import { pruneImages } from "../../src/commands/prune.ts";
import { login, logout } from "../../src/commands/registry.ts";
import { runTraefik } from "../../src/commands/traefik.ts";
import { containerName } from "../../src/commands/names.ts";
import type { Config, Credential } from "../../src/config/config.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { loadConfig } from "../../src/config/load.ts";
import { shellWords } from "./shell-words.ts";
import { revealed, traefikHost } from "./support.ts";

/** What the original's words become here, and why. Each row is a decision; nothing else may differ. */
interface Deviation {
  readonly name: string;
  readonly reason: string;
  /** Paths of the lines it is about, `*` for any role or accessory. */
  readonly lines: RegExp;
  readonly transform: (words: string[], example: Example) => string[];
  /** Where the recorded text is no command line that a shell reads as it was meant. */
  readonly read?: (recorded: string, example: Example) => string[];
}

const NO_LINE: string[] = [];
const LINE_ENV =
  /^(?:roles\.[^.]+\.start_or_run|healthcheck\.run|app_no_role\.exec_|traefik\.run|accessories\.[^.]+\.run)/;

const DEVIATIONS: readonly Deviation[] = [
  {
    name: "a password goes to standard input",
    reason: "an argument is visible to every user of the host",
    lines: /^registry\.login$/,
    transform: (words) => {
      const password = words[words.indexOf("-p") + 1]!;
      return ["printf", "%s", password, "|", ...words.slice(0, words.indexOf("-p")), "--password-stdin"];
    },
  },
  {
    name: "build arguments travel in the environment",
    reason: "they are redacted in logs by the original, yet in clear in its process list",
    lines: /^builder\.push$/,
    transform: (words) => {
      const given = words.filter((_, i) => words[i - 1] === "--build-arg");
      return [...given, ...words.map((word, i) => (words[i - 1] === "--build-arg" ? word.split("=")[0]! : word))];
    },
  },
  {
    name: "what two builders have built is looked for in the registry",
    reason: "buildx 0.13.1 ends well when it cannot join the parts; test/e2e/builder.test.ts shows it",
    lines: /^builder\.push$/,
    transform: (words, { config }) => {
      if (config.builder.kind !== "multiarch/remote") return words;
      const [name, tag] = ["--builder", "-t"].map((flag) => words[words.indexOf(flag) + 1]!);
      return [...words, ..."&& docker buildx imagetools inspect --builder".split(" "), name!, tag!];
    },
  },
  {
    name: "whether docker is there is learnt from its engine",
    reason: "one command fewer, and the engine is needed too",
    lines: /^builder\.dependency_check$/,
    transform: (words) => [...askEngine().map(String), ...words.slice(2)],
  },
  {
    name: "a builder is made without being chosen for everything else",
    reason: "builds name it; the user's own choice of builder is left alone",
    lines: /^builder\.create$/,
    transform: (words) => words.filter((word) => word !== "--use"),
  },
  {
    name: "what fails ends the rest of the builder's commands",
    reason: "the native/remote builder joined them with ; and went on without its context",
    lines: /^builder\.(?:create|info)$/,
    transform: (words) => words.map((word) => (word === ";" ? "&&" : word)),
  },
  {
    name: "a builder is removed before its contexts, each part where it is there",
    reason: "without its context buildx cannot end the builder's container on that host; a removal can be repeated",
    lines: /^builder\.remove$/,
    transform: (words) => {
      const parts = words.join(" ").split(/ (?:&&|;) /);
      const removals = [
        ...parts.filter((part) => part.includes("buildx")),
        ...parts.filter((p) => p.includes("context")),
      ];
      const format = ["--format", "{{.Endpoints.docker.Host}}"];
      return removals.flatMap((removal, i) => {
        const [docker = "", kind = "", , name = ""] = removal.split(" ");
        const inspect = [docker, kind, "inspect", name, ...(kind === "context" ? format : [])];
        return [...(i > 0 ? ["&&"] : []), "!", ...inspect, ">/dev/null", "2>&1", "||", ...removal.split(" ")];
      });
    },
  },
  {
    name: "a pull does not remove the image first",
    reason: "a failed pull left the host without the image (7.2)",
    lines: /^builder\.clean$/,
    transform: () => NO_LINE,
  },
  {
    name: "an app container is made anew, never started as it was",
    reason: "a stopped container of the version has its old environment and options (bug 25)",
    lines: /\.start_or_run/,
    transform: (words) => words.slice(words.indexOf("||") + 1),
  },
  {
    name: "the app knows its version",
    reason: "MRSK_VERSION, as later versions have it",
    lines: /\.start_or_run|^healthcheck\.run$/,
    transform: (words, { version }) =>
      words.flatMap((word) =>
        word.startsWith("MRSK_CONTAINER_NAME=") ? [word, "-e", `MRSK_VERSION=${version}`] : [word],
      ),
  },
  {
    name: "an interactive command goes through our own connection",
    reason: "quotes within broke the ssh line (bug 18), a proxy command crashed it (bug 19)",
    lines: /^app_no_role\.exec_new_interactive_local_command$/,
    read: (recorded, { execNew }) =>
      recorded === "(raises NoMethodError)"
        ? [...shellWords(execNew.replace("--rm", "-it --rm")).slice(0, -1), "bash"]
        : shellWords(recorded.slice(recorded.indexOf("'") + 1, -1)),
    transform: (words) => words,
  },
  {
    name: "an empty value is an empty value",
    reason: "a bare -e NAME takes the host's variable of that name (bug 21); false is the text false",
    lines: LINE_ENV,
    transform: (words, { config }) =>
      words.map((word, i) =>
        words[i - 1] === "-e" && !word.includes("=") ? `${word}=${config.env.clear.get(word) ?? "?"}` : word,
      ),
  },
  {
    name: "a role's variable replaces the global one of the same name",
    reason: "both were sent, the later one counting: merged by key (bug 22)",
    lines: LINE_ENV,
    transform: (words) => {
      const last = new Map<string, string>();
      for (const [i, word] of words.entries()) if (words[i - 1] === "-e") last.set(word.split("=")[0]!, word);
      const seen = new Set<string>();
      return words.flatMap((word, i) => {
        if (word === "-e") return seen.has(words[i + 1]!.split("=")[0]!) ? [] : [word];
        if (words[i - 1] !== "-e") return [word];
        const name = word.split("=")[0]!;
        if (seen.has(name)) return [];
        seen.add(name);
        return [last.get(name)!];
      });
    },
  },
  {
    name: "secrets travel in the environment of docker",
    reason: "never an argument, which every user of the host can read",
    lines: LINE_ENV,
    transform: (words, { config }) => {
      const names = secretNames(config);
      const isSecret = (i: number) => words[i - 1] === "-e" && names.has(words[i]!.split("=")[0]!);
      return [
        ...words.filter((_, i) => isSecret(i)),
        ...words.map((word, i) => (isSecret(i) ? word.split("=")[0]! : word)),
      ];
    },
  },
  {
    name: "containers are named outright instead of looked up with xargs",
    reason: "names are known, and xargs runs its command without arguments when nothing is found (bug 45)",
    lines: /\.(?:status|stop_version_old1|logs|health_log)$|^healthcheck\.(?:stop|remove)$/,
    transform: (words) => {
      const name = words.find((word) => word.startsWith("name=^"))!.slice("name=^".length, -1);
      const command = words.slice(words.indexOf("xargs") + 1);
      return command.at(-1) === "2>&1" ? [...command.slice(0, -1), name, "2>&1"] : [...command, name];
    },
  },
  {
    name: "what runs is listed, of exactly this destination, and then stopped by name",
    reason:
      "the version is the name without its known prefix (bug 9); all that run are stopped, not the newest (bug 35)",
    lines: /\.(?:stop_current|current_running_version)$/,
    transform: (words) => {
      const filters = words.flatMap((word, i) => (words[i - 1] === "--filter" ? [word] : []));
      const [states, labels] = [
        filters.filter((f) => f.startsWith("status=")),
        filters.filter((f) => f.startsWith("label=")),
      ];
      const format = String.raw`{{.ID}}\t{{.Names}}\t{{.State}}\t{{.Label "role"}}\t{{.Label "destination"}}`;
      return [
        "docker",
        "ps",
        "--no-trunc",
        ...[...states, ...labels].flatMap((f) => ["--filter", f]),
        "--format",
        format,
      ];
    },
  },
  {
    name: "the probe container publishes nothing and has a name of its own inside",
    reason: "port 3999 collides between two services, the role's ports with the running app (bug 37); 7.2 for the name",
    lines: /^healthcheck\.run$/,
    transform: (words) => {
      const name = words[words.indexOf("--name") + 1]!;
      return words
        .filter((word, i) => word !== "--publish" && words[i - 1] !== "--publish")
        .map((word) => (word.startsWith("MRSK_CONTAINER_NAME=") ? `MRSK_CONTAINER_NAME=${name}` : word));
    },
  },
  {
    name: "Traefik is newer by default, reads live files, logs less",
    reason: "v2.9 cannot talk to Docker Engine 29; live files lose no request at a cutover; DEBUG logs every request",
    lines: /^traefik\.run$/,
    transform: (words, { config }) => {
      const image = words.findIndex((word) => word.startsWith("traefik:"));
      const old = words[image]!;
      const flags = words
        .slice(image + 1)
        .filter((word) => word !== "--providers.docker" && word !== "--log.level=DEBUG");
      const leveled = flags.some((flag) => flag.startsWith("--log.level="));
      const ownEntryPoints = flags.some((flag) => /^--entrypoints\..+\.address=/.test(flag));
      const before = words.slice(0, image).flatMap((word, i, all) => {
        if (all[i - 1] === "--publish" && word.endsWith(":80")) return [word, "--publish", "127.0.0.1:18082:8082"];
        if (word.startsWith("/var/run/docker.sock:"))
          return [word, "--volume", "/root/.mrsk/traefik:/etc/traefik/mrsk:ro"];
        return [word];
      });
      return [
        ...before,
        old === "traefik:v2.9" ? config.traefik.image : old,
        "--providers.docker",
        ...(leveled ? [] : ["--log.level=INFO"]),
        "--providers.file.directory=/etc/traefik/mrsk",
        "--providers.providersThrottleDuration=100ms",
        // These two exist from version 3 on; the example with entry points of its own has a version 2 image.
        ...(ownEntryPoints ? [] : ["--entrypoints.http.address=:80"]),
        ...(ownEntryPoints || !readsVersion3(config.traefik.image)
          ? []
          : ["--entrypoints.http.asdefault=true", "--entrypoints.http.transport.keepalivemaxtime=15s"]),
        "--entrypoints.mrsk.address=:8082",
        ...flags,
      ];
    },
  },
  {
    name: "images are removed in one script, whatever the destination, and by name",
    reason:
      "they do not carry the destination (bug 36), nor any label when built elsewhere; test/commands/prune.test.ts runs it",
    lines: /^app_no_role\.remove_images$/,
    transform: () => NO_LINE,
  },
  {
    name: "an accessory's container is removed by name",
    reason: "another service may be called what the accessory's label says",
    lines: /^accessories\.[^.]+\.remove_container$/,
    transform: (words) => {
      const name = words.at(-1)!.replace("label=service=", "");
      const state = `docker inspect --type container --format '{{.State.Status}}' ${name} 2>/dev/null || true`;
      return shellWords(`[ -z "$(${state})" ] || docker container rm ${name}`);
    },
  },
  {
    name: "which containers to prune is decided from what was seen",
    reason: "five over all roles and destinations leave fewer than one each for rollback (bug 48)",
    lines: /^prune\.containers$/,
    transform: () => NO_LINE,
  },
  {
    name: "images are pruned in one script, compared name by name",
    reason: "grep -w takes the dots of a name for any character; test/commands/prune.test.ts runs it",
    lines: /^prune\.tagged_images$/,
    transform: () => NO_LINE,
  },
  {
    name: "no /usr/bin/env",
    reason: "it is needed only where a program finds the commands, here a shell does",
    lines: /^accessories\..*(?:directories|mkdir|chmod|remove_directory)/,
    transform: (words) => words.slice(1),
  },
  {
    name: "an accessory's directory is made relative to the login directory",
    reason: "where the commands run; the same place as $PWD",
    lines: /^accessories\.[^.]+\.directories/,
    transform: (words) => words.map((word) => word.replace(/^\$PWD\//, "")),
  },
  {
    name: "the login directory is quoted",
    reason: "its path may have a space; the shell still fills it in",
    lines: /^accessories\.[^.]+\.run$/,
    transform: (words) => words.map((word) => word.replace(/^\$PWD\//, "${PWD}/")),
  },
  {
    name: "a template is named, not rendered",
    reason: "builders read no files: the flow renders it and hands over the content",
    lines: /^accessories\.[^.]+\.uploads\.\d+\.local$/,
    read: (recorded, { config }) => {
      const templates = config.accessories.flatMap(({ files }) => files.filter(({ local }) => local.endsWith("erb")));
      return recorded.startsWith("(rendered ERB)") ? templates.map(({ local }) => local) : [recorded];
    },
    transform: (words) => words,
  },
  {
    name: "an uploaded file is complete before it has its name",
    reason: "a broken connection must not leave half a file for the container to read",
    lines: /^accessories\.[^.]+\.uploads\.\d+\.chmod$/,
    transform: (words) => [...words.slice(0, -1), `${words.at(-1)!}.new`],
  },
  {
    name: "an accessory's directory is removed through docker where the login user may not",
    reason: "files that its container wrote belong to root",
    lines: /^accessories\.[^.]+\.remove_directory$/,
    transform: (words) => [...words, "2>/dev/null", "||"],
  },
];

interface Example {
  readonly config: Config;
  /** The recorded line for a new container. */
  readonly execNew: string;
  readonly version: string;
  readonly environment: ReadonlyMap<string, string>;
}

interface Recorded {
  config: { file: string; destination: string | null; version: string; environment: Record<string, string> };
  derived: unknown;
  [part: string]: unknown;
}

function secretNames({ env, roles, accessories, traefik }: Config): Set<string> {
  return new Set(
    [env, traefik.env, ...roles.map((r) => r.env), ...accessories.map((a) => a.env)].flatMap((e) => e.secret),
  );
}

const BUILT_NOWHERE = new Set([
  "builder.clean",
  "app_no_role.remove_images",
  "prune.containers",
  "prune.tagged_images",
]);

/** What we build for a recorded line; undefined where there is no such line. @throws for a line nobody thought of */
function built(path: string, { config, version, environment }: Example): string[] | undefined {
  const [part, name = "", what = "", index = "", detail = ""] = path.split(".");
  const secrets = new Map(Array.from(environment, ([key, value]) => [key, new Secret(key, value)]));
  const primary = config.roles.find((role) => role.name === config.primaryRole)!;
  const words = (body: Body | undefined) => (body === undefined ? undefined : shellWords(revealed(body)));
  const credential = (given: Credential) => ("value" in given ? given.value : secrets.get(given.variable)!);
  if (BUILT_NOWHERE.has(path)) return [];
  if (part === "roles")
    return words(roleLine(new AppCommands(config, config.roles.find((r) => r.name === name)!), what));
  if (part === "accessories") {
    const accessory = config.accessories.find((other) => other.name === name)!;
    const commands = new AccessoryCommands(config, accessory);
    const nth = (body: Body, i: number) => shellWords(revealed(body).split("\n")[i]!);
    const file = accessory.files[Number(index)]!;
    const upload = () => commands.upload(file.remote, file.mode, new Secret("content", ""));
    switch (`${what}.${detail}`) {
      case "hosts.":
        return [accessory.hosts[Number(index)]!];
      case "run.":
        return words(commands.run("$PWD", secrets, "json-file"));
      case "directories.":
        return nth(commands.createDirectories(), Number(index) + 1);
      case "uploads.local":
        return [file.local];
      case "uploads.remote":
        return [`${accessory.service}${file.remote}`];
      case "uploads.mkdir":
        return nth(upload(), 0);
      case "uploads.chmod":
        return nth(upload(), 2);
      case "remove_container.":
        return words(commands.removeContainer());
      case "remove_image.":
        return words(commands.removeImage());
      case "remove_directory.":
        return words(commands.removeDirectory())!.slice(0, 5);
    }
  }
  const lines: Record<string, () => Body | string | undefined> = {
    "registry.login": () =>
      login(config.registry, credential(config.registry.username), credential(config.registry.password)),
    "registry.logout": () => logout(config.registry),
    "builder.name": () => config.builder.kind,
    "builder.dependency_check": () => and(askEngine(), ...[checkBuildx(config)].filter((check) => check !== undefined)),
    "builder.create": () => createBuilder(config),
    "builder.push": () => and(...buildAndPush(config, version, new Map()).map((step) => step.body as Command)),
    "builder.remove": () => (removeBuilder(config).length > 0 ? and(...removeBuilder(config)) : undefined),
    "builder.info": () => builderInfo(config),
    "builder.pull": () => pull(config, version),
    "traefik.run": () => runTraefik(config, traefikHost("/root/.mrsk/traefik"), secrets),
    "healthcheck.run": () => runProbe(config, primary, { version, secrets, startInterval: false }),
    "healthcheck.status": () => probeStatus(config, version),
    "healthcheck.logs": () => probeLogs(config, version),
    "healthcheck.health_log": () => probeHealthLog(config, version),
    "healthcheck.stop": () => stopProbe(config, version),
    "healthcheck.remove": () => removeProbe(config, version),
    // The original gives it the global variables, we give it the role's: those and more. No example tells them apart.
    "app_no_role.exec_new": () => new AppCommands(config, primary).execNew(version, ["bin/console"], secrets),
    "app_no_role.exec_new_interactive_local_command": () =>
      new AppCommands(config, primary).execNew(version, ["bash"], secrets, { streams: "terminal" }),
    "app_no_role.tag_latest": () => tagLatest(config, version),
    "app_no_role.list_images": () => listImages(config),
    "prune.dangling_images": () => revealed(pruneImages(config)).split(" || ").at(-1),
  };
  const make = lines[path];
  if (!make) throw new Error(`no builder for ${path}`);
  const body = make();
  return typeof body === "string" ? shellWords(body) : words(body);

  function roleLine(app: AppCommands, line: string): Command {
    switch (line) {
      case "start_or_run (hostname suffix 0123456789ab)":
        return app.run({
          name: containerName(config, app.role, version),
          version,
          host: app.role.hosts[0]!,
          suffix: "0123456789ab",
          labels: roleLabels(config, app.role),
          secrets,
          restart: "unless-stopped",
          startInterval: false,
          logDriver: "json-file",
          healthcheck: true,
        });
      case "stop_version_old1":
        return app.stop(containerName(config, app.role, "old1"));
      case "stop_current":
      case "current_running_version":
        return app.list({ running: true });
      case "status":
        return app.status(version);
      default:
        throw new Error(`no builder for ${path}`);
    }
  }
}

/** Every text of the recorded file with its path; null is a step without a command. */
function leaves(value: unknown, path: string[] = []): [string, string | null][] {
  if (value === null || typeof value === "string") return [[path.join("."), value]];
  return Object.entries(value as object).flatMap(([key, item]) => leaves(item, [...path, key]));
}

const EXAMPLES = new URL("../fixtures/examples/", import.meta.url);
const used = new Set<string>();

function expectedWords(recorded: string, rows: readonly Deviation[], example: Example): string[] {
  const reader = rows.find(({ read }) => read);
  if (reader) used.add(reader.name);
  return rows.reduce((words, row) => {
    const changed = row.transform(words, example);
    if (changed.join("\0") !== words.join("\0")) used.add(row.name);
    return changed;
  }, reader?.read?.(recorded, example) ?? shellWords(recorded));
}

const files = readdirSync(new URL("expected/", EXAMPLES)).filter((file) => file.endsWith(".json"));

describe.each(files)("%s", (file) => {
  const recording = JSON.parse(readFileSync(new URL(`expected/${file}`, EXAMPLES), "utf8")) as Recorded;
  const { config: given, derived: _, ...parts } = recording;
  let example: Example;

  beforeAll(async () => {
    const environment = new Map(Object.entries(given.environment));
    const destination = given.destination ?? undefined;
    const config = await loadConfig({ file: given.file, destination, cwd: fileURLToPath(EXAMPLES), environment });
    const { exec_new: execNew } = parts["app_no_role"] as { exec_new: string };
    example = { config, execNew, version: given.version, environment };
  });

  test.each(leaves(parts))("%s", (path, recorded) => {
    const rows = DEVIATIONS.filter(({ lines }) => lines.test(path));
    const expected = recorded === null ? undefined : expectedWords(recorded, rows, example);
    expect(built(path, example)).toEqual(expected);
  });
});

test("no deviation is listed that is not one", () => {
  expect(DEVIATIONS.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
});
