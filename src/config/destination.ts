import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { UsageError } from "../errors.ts";

/**
 * Returns the name of a destination, which becomes part of file names (`.env.NAME`, `deploy.NAME.yml`), here and on hosts.
 * @throws UsageError if it cannot be part of a file name
 */
export function checkDestination(destination: string): string {
  if (/^\w[\w.-]*$/.test(destination)) return destination;
  throw new UsageError(`'${destination}' cannot be a destination: it becomes part of file names`, {
    hint: "Write letters, digits, -, _ and dots, as in -d staging.",
  });
}

/** `config/deploy.yml` and `staging` give `config/deploy.staging.yml`. */
export function destinationFile(file: string, destination: string): string {
  return `${file.replace(/\.[^./\\]*$/, "")}.${checkDestination(destination)}.yml`;
}

/** The names of the destinations whose files are in the folder of `path`. */
export function destinationsOf(path: string): string[] {
  const start = `${basename(path).replace(/\.[^.]*$/, "")}.`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(start) && name.endsWith(".yml"));
  return names
    .map((name) => name.slice(start.length, -".yml".length))
    .filter((name) => /^\w[\w.-]*$/.test(name))
    .toSorted();
}
