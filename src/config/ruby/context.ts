import type { Variables } from "../env/variables.ts";

/** The surroundings of a template's program. Offsets are those in the program. */
export interface RubyContext {
  readonly environment: Variables;
  readonly cwd: string;
  /** Names of the functions by which the program calls `text` and `output` below. */
  readonly functions: { readonly text: string; readonly output: string };
  /** Returns the text that it added. */
  readonly text: (index: number) => string;
  readonly output: (value: string, offset: number) => void;
  /** The text in the template of a part of the program, on one line. */
  readonly excerpt: (from: number, to: number) => string;
  readonly problem: (offset: number, message: string) => void;
  /** A part that is not supported here; Ruby itself may accept it. */
  readonly unsupported: (offset: number, message: string) => void;
  readonly note: (offset: number, message: string) => void;
}
