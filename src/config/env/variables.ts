/** The variables of this machine: a plain `Map`, or what `loadEnvironment` gives, where a value may take a while. */
export interface Variables {
  get(name: string): string | undefined | Promise<string | undefined>;
  /** What commands run with. Without it, they run with what a `Map` has. */
  forCommands?(): Promise<Readonly<Record<string, string>>>;
  /** Whether a `.env` file has it, whatever the process has. */
  inFile?(name: string): boolean;
  /** For everything that is read afterwards; undefined takes the variable away. */
  assign?(name: string, value: string | undefined): void;
  /**
   * Adds what the file has and nothing else has yet. Its path is relative to the working directory.
   * @returns whether there is such a file
   * @throws ConfigError when it cannot be read
   */
  load?(path: string): boolean;
}

export async function commandEnvironment(variables: Variables): Promise<Readonly<Record<string, string>>> {
  if (variables.forCommands) return variables.forCommands();
  return variables instanceof Map ? (Object.fromEntries(variables) as Record<string, string>) : {};
}

/** The variables with some of their own on top. Nothing of theirs can be changed through it. */
export function withVariables(own: ReadonlyMap<string, string>, below: Variables): Variables {
  return {
    get: (name) => own.get(name) ?? below.get(name),
    forCommands: async () => ({ ...(await commandEnvironment(below)), ...Object.fromEntries(own) }),
  };
}
