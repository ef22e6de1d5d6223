import type { Variables } from "../env/variables.ts";

/** The surroundings of a template's program. Offsets are those in the program. */
export interface RubyContext {
  readonly environment: Variables;
  readonly cwd: string;
  /** Names of the functions by which the program calls `text` and `output` below. */
  readonly functions: { readonly text: string; readonly output: string };
  readonly text: (index: number) => void;
  readonly output: (value: string, offset: number) => void;
  /** The text in the template of a part of the program, on one line. */
  readonly excerpt: (from: number, to: number) => string;
  readonly problem: (offset: number, message: string) => void;
  readonly note: (offset: number, message: string) => void;
}
