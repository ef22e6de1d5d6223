import type { HostFacts } from "./facts.ts";

type Version = readonly [number, number, number];

/** The engine API of each range of Traefik versions: up to 2.11.30 and 3.6.0 only 1.24; later versions negotiate. */
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

/** Why this Traefik cannot use the API of this engine, and what to set; undefined if it can, or if that is unknown. */
export function engineProblem(image: string, engine: Engine): string | undefined {
  const version = traefikVersion(image);
  if (!version) return undefined;
  const engineName = `Docker Engine ${engine.engineVersion}`;
  if (within(version, ONLY_1_24) && isNewerApi(oldestApi(engine), OLD_API)) {
    return `${image} cannot talk to ${engineName}, which requires API ${oldestApi(engine)} or newer: set traefik.image to v2.11.31, v3.6.1 or newer`;
  }
  if (within(version, FROM_1_40) && engine.apiVersion !== "" && isNewerApi(NEW_API, engine.apiVersion)) {
    return `${image} cannot talk to ${engineName}, whose API is ${engine.apiVersion}: update Docker, or set traefik.image to v2.11.44 or older`;
  }
  return undefined;
}

/**
 * The version of a tag such as `v3.7.15`, or `v2.10`, whose patches all have the same API. undefined for a moving tag
 * (`v2.11`, `v3.6`, `v3`, `latest`), whose version is unknown.
 */
function traefikVersion(image: string): Version | undefined {
  const [, repository = "", tag = ""] = /^(?:.*\/)?([^/:@]+)(?::([^@]+))?/.exec(image) ?? [];
  if (!repository.includes("traefik")) return undefined;
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:-|$)/.exec(tag) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const line: Version = [Number(major), Number(minor), 0];
  if (patch !== undefined) return [line[0], line[1], Number(patch)];
  const known = within(line, ONLY_1_24) && within([line[0], line[1], 99], ONLY_1_24);
  return known ? line : undefined;
}

function within(version: Version, ranges: typeof ONLY_1_24): boolean {
  return ranges.some(([from, to]) => compare(version, from) >= 0 && compare(version, to) <= 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : a[at]! - (b[at] ?? 0);
}

/** The oldest API of the engine. An engine that is too old to report it supports all versions of this file. */
function oldestApi({ minApiVersion, engineVersion }: Engine): string {
  if (minApiVersion !== undefined) return minApiVersion;
  return Number(engineVersion.split(".")[0]) >= 29 ? "1.44" : OLD_API;
}

/** Whether API version a is newer than b. */
export function isNewerApi(a: string, b: string): boolean {
  return compare(a.split(".").map(Number), b.split(".").map(Number)) > 0;
}
