/** The variables of this machine: a plain `Map`, or what `loadEnvironment` gives, where a value may take a while. */
export interface Variables {
  get(name: string): string | undefined | Promise<string | undefined>;
  /** What commands run with. Without it, they run with what a `Map` has. */
  forCommands?(): Promise<Readonly<Record<string, string>>>;
}

export async function commandEnvironment(variables: Variables): Promise<Readonly<Record<string, string>>> {
  if (variables.forCommands) return variables.forCommands();
  return variables instanceof Map ? (Object.fromEntries(variables) as Record<string, string>) : {};
}
