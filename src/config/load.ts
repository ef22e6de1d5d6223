import { readFileSync } from "node:fs";
import { resolve as resolvePath } from "node:path";
import { ConfigError, asFileError, UsageError } from "../errors.ts";
import { crossMistakes } from "./check.ts";
import type { Config } from "./config.ts";
import { MRSK_VERSION } from "../program-version.ts";
import { type Mistake, mistakes } from "./issues.ts";
import { minimumVersionProblem } from "./minimum-version.ts";
import { resolve } from "./resolve.ts";
import { writtenConfig } from "./schema.ts";
import { type Locate, locateIn, readYaml } from "./yaml.ts";
import { mergeTrees, positionOf, type Problem, problemLines, toPlain, type Tree } from "./tree.ts";
import type { Variables } from "./variables.ts";

export interface ConfigSource {
  /** As the user wrote it; relative to `cwd`. */
  readonly file: string;
  readonly destination: string | undefined;
  readonly cwd: string;
  /** What ERB in the file sees as `ENV`. */
  readonly environment: Variables;
}

/**
 * Reads the config file and, with a destination, the file beside it that goes over it (`deploy.yml` →
 * `deploy.staging.yml`).
 * @throws ConfigError listing every mistake of both files at once, a `file:line:column: path: what is wrong` line each
 */
export async function loadConfig(source: ConfigSource): Promise<Config> {
  const { file, destination } = source;
  const files = [file, ...(destination === undefined ? [] : [destinationFile(file, destination)])];
  const read = await Promise.all(files.map((name) => readSource(name, source)));
  const problems = read.flatMap((one) => one.problems);
  const trees = read.flatMap(({ tree }) => tree ?? []);
  problems.push(...notMaps(trees));
  // Half a config would be told to miss what the other half has.
  if (trees.length < files.length || !trees.every((tree) => tree.kind === "map")) {
    throw new ConfigError(problemLines(problems, files));
  }
  const tree = trees.reduce<Tree>(mergeTrees, trees[0]!);
  const { config, wrong } = check(tree, file, destination);
  problems.push(
    ...unlessFollowingOn(
      wrong.map((mistake) => ({ ...mistake, at: positionOf(tree, mistake.path) })),
      problems,
    ),
  );
  if (problems.length > 0 || !config) throw new ConfigError(problemLines(problems, files));
  return config;
}

/** `config/deploy.yml` and `staging` give `config/deploy.staging.yml`. */
export function destinationFile(file: string, destination: string): string {
  if (!/^[\w.-]+$/.test(destination)) {
    throw new UsageError(`'${destination}' cannot be a destination: it is a part of a file's name`);
  }
  return `${file.replace(/\.[^./\\]*$/, "")}.${destination}.yml`;
}

interface Read {
  /** undefined: the file could not be read as YAML. */
  readonly tree: Tree | undefined;
  readonly problems: readonly Problem[];
}

async function readSource(name: string, { cwd, environment, destination, file }: ConfigSource): Promise<Read> {
  const text = readText(resolvePath(cwd, name), name === file ? undefined : destination);
  const locate: Locate = locateIn(text, name);
  if (!text.includes("<%")) return readYaml(text, locate);
  const { renderTemplate } = await import("./erb.ts");
  const rendered = await renderTemplate(text, { locate, environment, cwd });
  if (!rendered.complete) return { tree: undefined, problems: rendered.problems };
  const { tree, problems } = readYaml(rendered.text, (offset) => locate(rendered.sourceOffset(offset)));
  return { tree, problems: [...rendered.problems, ...unlessFollowingOn(problems, rendered.problems)] };
}

/** At once: loading the promises of node:fs takes longer than reading the files. */
function readText(path: string, destination: string | undefined): string {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw asFileError(error, path);
    }
    const hint =
      destination === undefined
        ? "Run `mrsk init` to create one."
        : `The destination ${destination} has its settings there: write the file, or leave out -d.`;
    throw new ConfigError([`Configuration file not found in ${path}`], { hint, cause: error });
  }
}

/** Of a line where a template failed nothing else is told: what is missing there is missing because of that. */
function unlessFollowingOn(problems: readonly Problem[], causes: readonly Problem[]): Problem[] {
  const lines = new Set(causes.map(({ at }) => `${at.file}:${at.line}`));
  return problems.filter(({ at }) => !lines.has(`${at.file}:${at.line}`));
}

function notMaps(trees: readonly Tree[]): Problem[] {
  return trees.flatMap((tree): Problem[] => {
    if (tree.kind === "map") return [];
    const empty = tree.kind === "scalar" && tree.value === null;
    const message = empty
      ? "is empty: service, image, servers and registry are required"
      : "should be a map: `service: NAME` and so on";
    return [{ at: tree.at, path: [], message }];
  });
}

function check(tree: Tree, file: string, destination: string | undefined): { config?: Config; wrong: Mistake[] } {
  const all = toPlain(tree) as Record<string, unknown>;
  const written = Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith("x-")));
  if (written["require_destination"] === true && destination === undefined) {
    return { wrong: [{ path: ["require_destination"], message: "You must specify a destination (-d NAME)" }] };
  }
  const minimum = written["minimum_version"];
  const tooOld = typeof minimum === "string" ? minimumVersionProblem(minimum, MRSK_VERSION) : undefined;
  // What else is wrong is likely to be what the newer version knows.
  if (tooOld !== undefined) return { wrong: [{ path: ["minimum_version"], message: tooOld }] };
  const cross = crossMistakes(written, file);
  const parsed = writtenConfig.safeParse(written, { jitless: true });
  if (parsed.success && cross.length === 0) return { config: resolve(parsed.data, file, destination), wrong: [] };
  const told = new Set(cross.map(({ path }) => path.join("/")));
  const schema = parsed.success ? [] : mistakes(parsed.error.issues, written);
  return { wrong: [...cross, ...schema.filter(({ path }) => !told.has(path.join("/")))] };
}
