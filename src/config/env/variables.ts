/** The variables of this machine: a `Map`, or the environment of `loadEnvironment`, whose values may need a command. */
export interface Variables {
  get(name: string): string | undefined | Promise<string | undefined>;
  /** Why a variable is missing, after its name: `is not in .kamal/secrets`. By default `is not set`. */
  readonly whyMissing?: string;
  /** The environment that commands run with. If it is missing, they get the variables of a `Map`. */
  forCommands?(): Promise<Readonly<Record<string, string>>>;
  /** Every variable, also those whose value needs a command. If it is missing, `forCommands` returns all. */
  all?(): Promise<Readonly<Record<string, string>>>;
  /** Whether a `.env` file has the name, no matter if the process has it too. */
  inFile?(name: string): boolean;
  /** Sets a variable for everything that is read afterwards; undefined removes it. */
  assign?(name: string, value: string | undefined): void;
  /**
   * Adds the variables of a file that are not set yet. Its path is relative to the working directory.
   * @returns whether there is such a file
   * @throws ConfigError if it cannot be read
   */
  load?(path: string): boolean;
}

export async function commandEnvironment(variables: Variables): Promise<Readonly<Record<string, string>>> {
  if (variables.forCommands) return variables.forCommands();
  return variables instanceof Map ? (Object.fromEntries(variables) as Record<string, string>) : {};
}

/** The variables of `below` with those of `own` over them. They can be read, not assigned. */
export function withVariables(own: ReadonlyMap<string, string>, below: Variables): Variables {
  return {
    get: (name) => own.get(name) ?? below.get(name),
    forCommands: async () => ({ ...(await commandEnvironment(below)), ...Object.fromEntries(own) }),
    all: async () => ({ ...(await (below.all?.() ?? commandEnvironment(below))), ...Object.fromEntries(own) }),
  };
}
