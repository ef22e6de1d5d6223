import { resolve } from "node:path";
import { type DotenvEntry, type Part, partsOf, partsOfCommand, readDotenv } from "./dotenv.ts";
import { lastAtOrBefore } from "../yaml/line-starts.ts";
import { readTextFile } from "../text-file.ts";

/** An entry, and its index among the entries of its file. */
export interface Located {
  readonly file: EnvFile;
  readonly entry: DotenvEntry;
  readonly index: number;
  readonly parts: readonly Part[];
}

/** One `.env` file. */
export class EnvFile {
  /** Its name in messages. */
  readonly name: string;
  readonly entries: readonly Located[];
  private readonly places = new Map<string, number[]>();

  constructor(name: string, text: string) {
    this.name = name;
    this.entries = readDotenv(text).map((entry, index) => ({ file: this, entry, index, parts: partsOf(entry) }));
    for (const { entry, index } of this.entries) {
      const places = this.places.get(entry.name);
      if (places) places.push(index);
      else this.places.set(entry.name, [index]);
    }
  }

  /** The last entry of that name with an index below `limit`. */
  find(name: string, limit = this.entries.length): Located | undefined {
    const places = this.places.get(name);
    if (!places || places[0]! >= limit) return undefined;
    return this.entries[places[lastAtOrBefore(places, limit - 1)]!];
  }

  /** The last entry of each name. */
  last(): Located[] {
    return Array.from(this.places.values(), (places) => this.entries[places.at(-1)!]!);
  }
}

/** @returns undefined if there is no such file @throws ConfigError if it cannot be read */
export function readEnvFile(cwd: string, name: string): EnvFile | undefined {
  const text = readTextFile(resolve(cwd, name), name);
  return text === undefined ? undefined : new EnvFile(name, text);
}

/** Every variable that the value refers to, also in its commands. */
export function namesIn({ parts }: Located): string[] {
  return parts.flatMap((part) => {
    const inside = part.kind === "command" ? partsOfCommand(part.command) : [part];
    return inside.flatMap((one) => (one.kind === "variable" ? [one.name] : []));
  });
}

export function placeOf({ file, entry }: Located): string {
  return `${file.name}:${entry.line}:${entry.column}`;
}
