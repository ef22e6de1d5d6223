import type { Builder, BuilderHost } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { mapOf } from "./resolve-parts.ts";
import type { WrittenConfig } from "./schema.ts";

type Maybe<T> = T | null | undefined;
type WrittenBuilder = NonNullable<WrittenConfig["builder"]>;
type Sides = Pick<Builder, "kind" | "local" | "remote" | "nativeArch">;

/** @param emptyArgs `inherit`: a build argument without a value gets that of this machine's variable, as in Kamal 2 */
export function builderOf(written: Maybe<WrittenBuilder>, emptyArgs: "keep" | "inherit"): Builder {
  const cache = written?.cache;
  const args = mapOf(written?.args);
  const inherited = emptyArgs === "inherit" ? [...args].filter(([, value]) => value === "").map(([name]) => name) : [];
  return {
    ...sidesOf(written ?? {}),
    args: new Map([...args].filter(([name]) => !inherited.includes(name))),
    inheritedArgs: inherited.length > 0 ? inherited : undefined,
    secrets: written?.secrets ?? [],
    allowTrackedEnv: written?.allow_tracked_env ?? false,
    dockerfile: written?.dockerfile ?? DEFAULTS.builder.dockerfile,
    context: written?.context ?? DEFAULTS.builder.context,
    contextGiven: typeof written?.context === "string",
    target: written?.target ?? undefined,
    ssh: written?.ssh ?? undefined,
    cache: cache?.type
      ? { type: cache.type, options: cache.options ?? undefined, image: cache.image ?? undefined }
      : undefined,
    provenance: textOf(written?.provenance),
    sbom: written?.sbom ?? undefined,
  };
}

function textOf(value: Maybe<string | boolean>): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

function sidesOf(written: WrittenBuilder): Sides {
  const { arch, driver, local, remote } = written;
  const arches = arch === null || arch === undefined ? undefined : [arch].flat();
  if (driver === "docker" || written.multiarch === false) {
    const kind = written.cache?.type && driver !== "docker" ? "native/cached" : "native";
    return { kind, local: sideOf(local), remote: mapSideOf(remote), nativeArch: arches?.join(",") };
  }
  if (typeof remote === "string") return withRemote(arches ?? ["amd64", "arm64"], remote, local !== false);
  const sides = { local: sideOf(local) ?? sideOf(arches && { arch: arches.join(",") }), remote: mapSideOf(remote) };
  const alone = sides.local ? ("multiarch/remote" as const) : ("native/remote" as const);
  return { kind: sides.remote ? alone : "multiarch", ...sides };
}

/** This machine builds for its own architecture, if it may, and the other machine builds for the others. */
function withRemote(arches: readonly string[], host: string, mayBuildHere: boolean): Sides {
  const here = mayBuildHere ? arches.filter((arch) => arch === thisArch()) : [];
  const there = arches.filter((arch) => !here.includes(arch));
  const local = here.length > 0 ? { arch: here.join(","), host: undefined } : undefined;
  if (there.length === 0) return { kind: "multiarch", local, remote: undefined };
  return { kind: local ? "multiarch/remote" : "native/remote", local, remote: { arch: there.join(","), host } };
}

/** Docker's name of this machine's architecture. */
function thisArch(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

type Side = { readonly arch: string; readonly host?: Maybe<string> };

function sideOf(side: Maybe<Side | boolean>): BuilderHost | undefined {
  return side && side !== true ? { arch: side.arch, host: side.host ?? undefined } : undefined;
}

function mapSideOf(side: Maybe<Side | string | false>): BuilderHost | undefined {
  return typeof side === "string" ? undefined : sideOf(side);
}
