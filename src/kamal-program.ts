import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folders to put before and after PATH, so that a command named `kamal` is this program. The folder after PATH has
 * the `node` that runs it.
 */
export function kamalFolders(): { readonly first: string; readonly last: string } | undefined {
  // `dist/` (bundled) and `src/` (run from the sources) are both next to `bin/`.
  const first = join(import.meta.dirname, "../bin/kamal");
  return existsSync(first) ? { first, last: dirname(process.execPath) } : undefined;
}

/** The environment with these folders in its PATH. */
export function withKamal<T extends Readonly<Record<string, string | undefined>>>(environment: T): T {
  const folders = kamalFolders();
  if (!folders) return environment;
  return { ...environment, PATH: [folders.first, environment["PATH"] ?? "", folders.last].filter(Boolean).join(":") };
}
