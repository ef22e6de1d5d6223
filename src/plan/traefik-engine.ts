import type { HostFacts } from "./facts.ts";

type Version = readonly [number, number, number];

/** Engine API that each range of Traefik's releases speaks: up to and with 2.11.30 and 3.6.0 only 1.24, later it asks. */
const ONLY_1_24: readonly (readonly [from: Version, to: Version])[] = [
  [[0, 0, 0], [2, 11, 30]],
  [[3, 0, 0], [3, 6, 0]],
]; // biome-ignore format: one line each
const FROM_1_40: readonly (readonly [from: Version, to: Version])[] = [
  [[2, 11, 45], [2, 99, 99]],
  [[3, 6, 16], [99, 99, 99]],
]; // biome-ignore format: one line each
const OLD_API = "1.24";
const NEW_API = "1.40";

type Engine = Pick<HostFacts, "engineVersion" | "apiVersion" | "minApiVersion">;

/** Why this Traefik and this engine cannot talk to each other, and what to set; undefined when they can, or nobody knows. */
export function engineProblem(image: string, engine: Engine): string | undefined {
  const version = traefikVersion(image);
  if (!version) return undefined;
  const engineName = `Docker Engine ${engine.engineVersion}`;
  if (within(version, ONLY_1_24) && newer(oldestApi(engine), OLD_API)) {
    return `${image} cannot talk to ${engineName}, which wants API ${oldestApi(engine)} or newer: set traefik.image to v2.11.31, v3.6.1 or newer`;
  }
  if (within(version, FROM_1_40) && engine.apiVersion !== "" && newer(NEW_API, engine.apiVersion)) {
    return `${image} cannot talk to ${engineName}, whose API is ${engine.apiVersion}: update Docker, or set traefik.image to v2.11.44 or older`;
  }
  return undefined;
}

/**
 * `v3.7.15`, and `v2.10`, all of whose patches are alike in this. A tag that moves (`v2.11`, `v3.6`, `v3`, `latest`) may
 * be anything by now.
 */
function traefikVersion(image: string): Version | undefined {
  const [, repository = "", tag = ""] = /^(?:.*\/)?([^/:@]+)(?::([^@]+))?/.exec(image) ?? [];
  if (!repository.includes("traefik")) return undefined;
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:-|$)/.exec(tag) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const line: Version = [Number(major), Number(minor), 0];
  if (patch !== undefined) return [line[0], line[1], Number(patch)];
  const settled = within(line, ONLY_1_24) && within([line[0], line[1], 99], ONLY_1_24);
  return settled ? line : undefined;
}

function within(version: Version, ranges: typeof ONLY_1_24): boolean {
  return ranges.some(([from, to]) => compare(version, from) >= 0 && compare(version, to) <= 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

/** The oldest API that the engine still speaks; engines too old to say it speak all that count here. */
function oldestApi({ minApiVersion, engineVersion }: Engine): string {
  if (minApiVersion !== undefined) return minApiVersion;
  return Number(engineVersion.split(".")[0]) >= 29 ? "1.44" : OLD_API;
}

/** Whether API version a is newer than b. */
function newer(a: string, b: string): boolean {
  return compare(a.split(".").map(Number), b.split(".").map(Number)) > 0;
}
