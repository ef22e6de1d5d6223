import type { Variables } from "../env/variables.ts";

/** What the program of a template works on. Offsets are those of the program. */
export interface RubyContext {
  readonly environment: Variables;
  readonly cwd: string;
  /** Names of the functions by which the program calls `text` and `output` below. */
  readonly functions: { readonly text: string; readonly output: string };
  readonly text: (index: number) => void;
  readonly output: (value: string, offset: number) => void;
  /** What the user wrote at this place of the template, on one line. */
  readonly excerpt: (from: number, to: number) => string;
  readonly problem: (offset: number, message: string) => void;
  readonly note: (offset: number, message: string) => void;
}
