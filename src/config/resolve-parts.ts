import type { Environment, Healthcheck, Logging, Options } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Era } from "./era.ts";
import type { WrittenEnv, WrittenHealthcheck, WrittenLogging, WrittenOptions, WrittenTaggedEnv } from "./schema.ts";

type Maybe<T> = T | null | undefined;

export function mapOf(written: Maybe<Readonly<Record<string, string>>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(written ?? {}));
}

const NO_ENVIRONMENT: Environment = { clear: new Map(), secret: [] };

/** Both forms: `{NAME: value}`, and `{clear: …, secret: […]}`. */
export function environmentOf(written: Maybe<WrittenEnv | WrittenTaggedEnv>): Environment {
  if (!written) return NO_ENVIRONMENT;
  const split = splitOf(written);
  if (!split) return { clear: mapOf(written as Record<string, string>), secret: [] };
  const secrets = (split.secret ?? []).map((text) => text.split(/:(.*)/) as [string, string?]);
  const sources = secrets.flatMap(([name, source]) => (source === undefined ? [] : [[name, source] as const]));
  const secret = [...new Set(secrets.map(([name]) => name))];
  return { clear: mapOf(split.clear), secret, ...sourcesIn(new Map(sources), secret) };
}

/** Of two secrets for one variable, the later wins. */
function sourcesIn(sources: ReadonlyMap<string, string>, names: readonly string[]): Pick<Environment, "sources"> {
  const used = [...sources].filter(([name]) => names.includes(name));
  return used.length > 0 ? { sources: new Map(used) } : {};
}

/** The environment that each tag adds. */
export function tagsOf(written: Maybe<WrittenTaggedEnv>): ReadonlyMap<string, Environment> {
  const tags = written ? splitOf(written)?.tags : undefined;
  return new Map(Object.entries(tags ?? {}).map(([tag, env]) => [tag, environmentOf(env)]));
}

interface Split {
  readonly clear?: Maybe<Readonly<Record<string, string>>>;
  readonly secret?: Maybe<readonly string[]>;
  readonly tags?: Maybe<Readonly<Record<string, WrittenEnv | null>>>;
}

function splitOf(written: WrittenEnv | WrittenTaggedEnv): Split | undefined {
  return ["clear", "secret", "tags"].some((key) => Object.hasOwn(written, key)) ? written : undefined;
}

/**
 * Merges by name; later environments win, also if a name is clear in one and secret in the other. Names keep their order.
 */
export function mergeEnvironments(...all: readonly Environment[]): Environment {
  let clear = new Map<string, string>();
  let secret: string[] = [];
  for (const next of all) {
    secret = [
      ...secret.filter((name) => !next.clear.has(name)),
      ...next.secret.filter((name) => !secret.includes(name)),
    ];
    clear = new Map([...clear, ...next.clear].filter(([name]) => !next.secret.includes(name)));
  }
  return { clear, secret, ...sourcesIn(allSources(all), secret) };
}

/**
 * Merges by name as Kamal 2 does: later environments win, but a clear value wins over a secret of any environment, and an
 * empty value removes the variable.
 */
export function mergeByKamal2(...all: readonly Environment[]): Environment {
  const written = new Map(all.flatMap(({ clear }) => [...clear]));
  const secret = [...new Set(all.flatMap((env) => env.secret))].filter((name) => !written.has(name));
  const clear = new Map([...written].filter(([, value]) => value !== ""));
  return { clear, secret, ...sourcesIn(allSources(all), secret) };
}

/** The environment of a container that has a single section `env`. */
export function singleEnvironment(written: Maybe<WrittenEnv>, era: Era): Environment {
  const env = environmentOf(written);
  return era.generation === 2 ? mergeByKamal2(env) : env;
}

/** A later secret without another source is its own source. */
function allSources(all: readonly Environment[]): ReadonlyMap<string, string> {
  const sources = all.flatMap(({ secret, sources: own }) =>
    secret.map((name) => [name, own?.get(name) ?? name] as const),
  );
  return new Map([...new Map(sources)].filter(([name, source]) => name !== source));
}

/** Options with an empty list are left out. */
export function optionsOf(written: Maybe<WrittenOptions>): Options {
  return new Map(Object.entries(written ?? {}).filter(([, value]) => !Array.isArray(value) || value.length > 0));
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** A docker duration such as `1m30s`, in seconds. */
export function durationSeconds(duration: string): number {
  const parts = duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g);
  return Array.from(parts).reduce((total, [, amount, unit]) => total + Number(amount) * UNIT_SECONDS[unit!]!, 0);
}

/** Each key from the first map that has it, otherwise its default. */
export function healthcheckOf(
  written: readonly Maybe<WrittenHealthcheck>[],
  attempts: Maybe<number>,
  defaults: { readonly path: string; readonly port: number; readonly interval: string } = DEFAULTS.healthcheck,
): Healthcheck {
  const merged = written.reduceRight<WrittenHealthcheck>((below, over) => ({ ...below, ...withoutEmpty(over) }), {});
  const interval = merged.interval ?? defaults.interval;
  return {
    cmd: merged.cmd ?? undefined,
    path: merged.path ?? defaults.path,
    port: merged.port ?? defaults.port,
    interval,
    intervalSeconds: durationSeconds(interval),
    maxAttempts: merged.max_attempts ?? attempts ?? DEFAULTS.healthcheck.maxAttempts,
  };
}

/** Without the keys that have no value. */
function withoutEmpty(map: Maybe<WrittenHealthcheck>): WrittenHealthcheck {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([, value]) => value !== null && value !== undefined));
}

/** Later maps win. With neither driver nor options in any of them, the size of docker's log files is limited. */
export function loggingOf(...written: readonly Maybe<WrittenLogging>[]): Logging {
  const driver = written.findLast((logging) => logging?.driver)?.driver ?? undefined;
  const options = new Map(written.flatMap((logging) => Object.entries(logging?.options ?? {})));
  if (driver === undefined && options.size === 0) return { driver, options, maxSize: DEFAULTS.logMaxSize };
  return { driver, options };
}
