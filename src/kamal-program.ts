import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder whose `kamal` is this program, and the variable with the Node that runs it: that on PATH may be too old. */
export function kamalProgram():
  | { readonly folder: string; readonly node: Readonly<Record<string, string>> }
  | undefined {
  // `dist/` (bundled) and `src/` (run from the sources) are both next to `bin/`.
  const folder = join(import.meta.dirname, "../bin/kamal");
  return existsSync(folder) ? { folder, node: { MRSK_NODE: process.execPath } } : undefined;
}

/** The environment in which a command named `kamal` is this program. */
export function withKamal(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const program = kamalProgram();
  if (!program) return environment;
  const { PATH = "" } = environment;
  return { ...environment, ...program.node, PATH: PATH === "" ? program.folder : `${program.folder}:${PATH}` };
}
