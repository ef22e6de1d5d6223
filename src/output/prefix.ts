import { Chalk } from "chalk";

const COLORS = ["cyan", "yellow", "green", "magenta", "blue", "redBright", "cyanBright", "yellowBright"] as const;

/** `NAME | ` before the lines of several sources. Each name gets the next colour when it first appears. */
export function linePrefix(color: boolean): (name: string) => string {
  const paint = new Chalk({ level: color ? 1 : 0 });
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const prefix = paint[COLORS[names.size % COLORS.length]!](`${name} |`) + " ";
    names.set(name, prefix);
    return prefix;
  };
}
