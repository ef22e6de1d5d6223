import { type Body, type Command, type Hole, Raw, Shell, sh, type Word } from "./command.ts";

/** The name of a function of `src/shell`. */
class FunctionName extends Raw {}

/** The text of a function of `src/shell`, for a new shell: `sh -c` passes its arguments to the function. */
export class Program extends Raw {
  readonly name: string;

  constructor(name: string) {
    super(`"$${programVariable(name)}"`);
    this.name = name;
  }
}

/** The shell variable that holds the text. */
export function programVariable(name: string): string {
  return `text_of_${name}`;
}

/** `name argument…`: calls a function of `src/shell`, which is sent to the host's shell ahead of the script. */
export function call(name: string, ...args: readonly Hole[]): Shell {
  const given = args.filter((arg) => !Array.isArray(arg) || arg.length > 0);
  return new Shell(["", ...given.map(() => " "), ""], [new FunctionName(name), ...given]);
}

/** The output of a function of `src/shell`, as one word. */
export function printedBy(called: Shell): Shell {
  return sh`"$(${called})"`;
}

/** The functions of `src/shell` that a piece of shell needs. */
export interface Needs {
  readonly functions: ReadonlySet<string>;
  readonly programs: ReadonlySet<string>;
}

export function needsOf(bodies: readonly Body[]): Needs {
  const words = bodies.flatMap(wordsOf);
  return {
    functions: new Set(words.flatMap((word) => (word instanceof FunctionName ? [word.text] : []))),
    programs: new Set(words.flatMap((word) => (word instanceof Program ? [word.name] : []))),
  };
}

/** Every word of a body, its parts included. */
export function wordsOf(body: Hole): readonly Word[] {
  if (body instanceof Shell) return body.holes.flatMap(wordsOf);
  return Array.isArray(body) ? (body as Command) : [body as Word];
}
