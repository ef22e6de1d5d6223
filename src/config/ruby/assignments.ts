import { commandEnvironment, type Variables } from "../env/variables.ts";

/** Variables whose assignments take effect below only by `commit`, so that a template can be evaluated again. */
export class Assignments implements Variables {
  private readonly below: Variables;
  private readonly changed = new Map<string, string | undefined>();
  readonly assign?: (name: string, value: string | undefined) => void;
  readonly load?: (path: string) => boolean;

  constructor(below: Variables) {
    this.below = below;
    if (below.assign) this.assign = (name, value) => void this.changed.set(name, value);
    if (below.load) {
      this.load = (path) => {
        // The values of the file may refer to a variable that was assigned.
        this.commit();
        return below.load!(path);
      };
    }
  }

  get(name: string): string | undefined | Promise<string | undefined> {
    return this.changed.has(name) ? this.changed.get(name) : this.below.get(name);
  }

  async forCommands(): Promise<Readonly<Record<string, string>>> {
    const all = { ...(await commandEnvironment(this.below)) };
    for (const [name, value] of this.changed) {
      if (value === undefined) delete all[name];
      else all[name] = value;
    }
    return all;
  }

  commit(): void {
    for (const [name, value] of this.changed) this.below.assign?.(name, value);
    this.changed.clear();
  }
}
