import { Chalk } from "chalk";

const COLORS = ["cyan", "yellow", "green", "magenta", "blue", "redBright", "cyanBright", "yellowBright"] as const;

/** `NAME | ` for the lines of many sources, each name in a colour of its own, in the order they come up. */
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
