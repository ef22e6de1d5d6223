import { resolve as resolvePath } from "node:path";
import { ConfigError } from "../errors.ts";
import { crossMistakes } from "./check.ts";
import type { Config } from "./config.ts";
import { destinationFile, destinationsOf } from "./destination.ts";
import { type Era, eraOf, eraText, isLocalRegistry } from "./era.ts";
import { interpolationNotes } from "./interpolation.ts";
import { MRSK_VERSION } from "../program-version.ts";
import { type Mistake, mistakes, withoutMisspelt } from "./issues.ts";
import { minimumVersionProblem } from "./minimum-version.ts";
import { resolve } from "./resolve.ts";
import { writtenConfig } from "./schema.ts";
import { unsupportedOf } from "./unsupported.ts";
import { commentLines } from "./yaml/comment-lines.ts";
import { type Locate, locateIn, readYaml } from "./yaml/yaml.ts";
import { setWrittenAt } from "./yaml/written-at.ts";
import {
  mergeTrees,
  place,
  positionOf,
  type Problem,
  problemLines,
  recordOf,
  toPlain,
  type Tree,
} from "./yaml/tree.ts";
import { readTextFile } from "./text-file.ts";
import type { Variables } from "./env/variables.ts";

export interface ConfigSource {
  /** As the user typed it; relative to `cwd`. */
  readonly file: string;
  readonly destination: string | undefined;
  readonly cwd: string;
  /** `ENV` in the ERB of the file. */
  readonly environment: Variables;
}

/**
 * Reads the config file and, with a destination, the destination's file, whose values override it (`deploy.yml` →
 * `deploy.staging.yml`).
 * @throws ConfigError with a line for every mistake in both files: `file:line:column: path: message`
 */
export async function loadConfig(source: ConfigSource): Promise<Config> {
  const files = filesOf(source);
  const read = await readAll(files, source);
  const found = read.flatMap((one) => one.problems);
  const trees = read.flatMap(({ tree }) => tree ?? []);
  found.push(...notMaps(trees));
  // With one file alone, the keys of the other would be reported as missing.
  if (trees.length < files.length || !trees.every((tree) => tree.kind === "map")) {
    throw new ConfigError(problemLines(found, files));
  }
  const tree = trees.reduce<Tree>(mergeTrees, trees[0]!);
  const { config, wrong, era } = check(tree, source);
  const placed = wrong.map((mistake) => ({ ...mistake, at: positionOf(tree, mistake.path) }));
  const isTolerated = ({ tolerated }: Problem) => tolerated !== undefined && era.generation === 2;
  const accepted = found
    .filter(isTolerated)
    .map((problem) => ({ ...problem, message: `${problem.message}: ${problem.tolerated}` }));
  const problems = found.filter((problem) => !isTolerated(problem));
  problems.push(...notCausedBy(problems, placed));
  if (problems.length > 0 || !config) {
    const hint = era.generation === 2 ? `The file was read as one of ${eraText(era)}.` : undefined;
    throw new ConfigError(problemLines(problems, files), { hint });
  }
  return {
    ...config,
    notes: [...read.flatMap(({ notes }) => notes), ...problemLines(accepted, files), ...config.notes],
  };
}

/** The error for mistakes found after loading, such as a missing key file. Reads the files again for their positions. */
export async function errorFor(source: ConfigSource, wrong: readonly Mistake[]): Promise<ConfigError> {
  const files = filesOf(source);
  const read = await readAll(files, source);
  const tree = read.flatMap((one) => one.tree ?? []).reduce<Tree>(mergeTrees, read[0]!.tree!);
  const problems = wrong.map((mistake) => ({ ...mistake, at: positionOf(tree, mistake.path) }));
  return new ConfigError(problemLines(problems, files));
}

/** The keys of both files as written, without any check; undefined if a file cannot be read or is no map. */
export async function writtenKeys(source: ConfigSource): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const read = await readAll(filesOf(source), source);
    const trees = read.flatMap(({ tree }) => (tree?.kind === "map" ? [tree as Tree] : []));
    if (trees.length < read.length) return undefined;
    return toPlain(trees.reduce<Tree>(mergeTrees, trees[0]!)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function filesOf({ file, destination }: ConfigSource): string[] {
  return [file, ...(destination === undefined ? [] : [destinationFile(file, destination)])];
}

/** In sequence: the second file sees what the first sets in ENV. */
async function readAll(files: readonly string[], source: ConfigSource): Promise<Read[]> {
  const read: Read[] = [];
  for (const name of files) read.push(await readSource(name, source));
  return read;
}

interface Read {
  /** undefined: the file could not be read as YAML. */
  readonly tree: Tree | undefined;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

async function readSource(name: string, { cwd, environment, destination, file }: ConfigSource): Promise<Read> {
  const text = readText(resolvePath(cwd, name), name, name === file ? undefined : destination);
  const locate: Locate = locateIn(text, name);
  if (!text.includes("<%")) return { ...readYaml(text, locate), notes: [] };
  const { renderTemplate } = await import("./ruby/erb.ts");
  const rendered = await renderTemplate(text, { locate, environment, cwd, isComment: commentLines(text) });
  const { notes } = rendered;
  if (!rendered.complete) return { tree: undefined, problems: rendered.problems, notes };
  const { tree, problems } = readYaml(rendered.text, (offset) => locate(rendered.sourceOffset(offset)));
  return { tree, problems: [...rendered.problems, ...notCausedBy(rendered.problems, problems)], notes };
}

function readText(path: string, name: string, destination: string | undefined): string {
  const text = readTextFile(path, name);
  if (text !== undefined) return text;
  const hint =
    destination === undefined
      ? "Run `mrsk init` to create one."
      : `The destination ${destination} has its settings in that file: create it, or omit -d.`;
  throw new ConfigError([`Configuration file not found in ${path}`], { hint });
}

/** Without the problems in a line that has one of `causes`: a value is missing there because its template failed. */
function notCausedBy(causes: readonly Problem[], problems: readonly Problem[]): Problem[] {
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

interface Checked {
  readonly config?: Config;
  readonly wrong: Mistake[];
  readonly era: Era;
}

function check(tree: Tree, source: ConfigSource): Checked {
  const { file, destination, cwd } = source;
  const all = toPlain(tree) as Record<string, unknown>;
  const given = recordOf(Object.entries(all).filter(([key]) => !key.startsWith("x-")));
  const era = eraOf(given, cwd);
  const written = era.generation === 2 ? withOptional(given) : given;
  if (written["require_destination"] === true && destination === undefined) {
    const mistake = { path: ["require_destination"], message: "You must specify a destination (-d NAME)" };
    const names = destinationsOf(resolvePath(cwd, file)).map((name) => `-d ${name}`);
    const message = names.length === 0 ? "" : `: run with ${names.join(" or ")}`;
    return { wrong: [{ ...mistake, message: `${mistake.message}${message}` }], era };
  }
  const minimum = written["minimum_version"];
  const tooOld = typeof minimum === "string" ? minimumVersionProblem(minimum, MRSK_VERSION) : undefined;
  // Other mistakes are probably keys of the newer version.
  if (tooOld !== undefined) return { wrong: [{ path: ["minimum_version"], message: tooOld }], era };
  const cross = crossMistakes(written, file, era).map((mistake) => withDestinations(mistake, source));
  const parsed = writtenConfig.safeParse(written, { jitless: true });
  if (parsed.success && cross.length === 0) {
    const config = resolve(parsed.data, era, file, destination);
    setFilePositions(config, tree);
    const notes = [...hostNotes(written, tree, source), ...config.notes];
    const unsupported = unsupportedOf(parsed.data).map((mistake) => ({
      ...mistake,
      at: positionOf(tree, mistake.path),
    }));
    return { config: { ...config, notes, unsupported: problemLines(unsupported) }, wrong: [], era };
  }
  const reported = new Set(cross.map(({ path }) => path.join("/")));
  const schema = parsed.success ? [] : mistakes(parsed.error.issues, written);
  return { wrong: withoutMisspelt([...cross, ...schema.filter(({ path }) => !reported.has(path.join("/")))]), era };
}

/** Kamal 2 names the image of a local registry after the service, and needs no servers if there are accessories. */
function withOptional(written: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { service, registry, accessories } = written as {
    service?: unknown;
    registry?: Record<string, unknown>;
    accessories?: unknown;
  };
  const image =
    typeof service === "string" && isLocalRegistry(registry?.["server"]) ? [["image", service] as const] : [];
  const servers = accessories === undefined || accessories === null ? [] : [["servers", {}] as const];
  return recordOf([...image, ...servers, ...Object.entries(written)]);
}

/** A key that is missing in the common file is often in the files of the destinations. */
function withDestinations(mistake: Mistake, { file, cwd, destination }: ConfigSource): Mistake {
  if (destination !== undefined || mistake.path.length !== 1 || !mistake.missing) return mistake;
  const [first, ...more] = destinationsOf(resolvePath(cwd, file));
  if (first === undefined) return mistake;
  const others = more.map((name) => ` or -d ${name}`).join("");
  return { ...mistake, message: `${mistake.message}: if a destination has it, run with -d ${first}${others}` };
}

function hostNotes(written: unknown, tree: Tree, { environment }: ConfigSource): string[] {
  const isInEnvFile = (name: string) => environment.inFile?.(name) === true;
  return interpolationNotes(written, isInEnvFile, (path) => place(positionOf(tree, path)));
}

function setFilePositions({ accessories }: Config, tree: Tree): void {
  for (const { name, files } of accessories) {
    files.forEach((file, index) => {
      const path = ["accessories", name, "files", index];
      setWrittenAt(file, `${place(positionOf(tree, path))}: ${path.join("/")}`);
    });
  }
}
