import assets from "../shell/assets.sh";
import images from "../shell/images.sh";
import versions from "../shell/versions.sh";
import bootstrap from "../shell/bootstrap.sh";
import common from "../shell/common.sh";
import { CONSTANTS } from "../shell/constants.ts";
import drain from "../shell/drain.sh";
import health from "../shell/health.sh";
import liveFile from "../shell/live-file.sh";
import lock from "../shell/lock.sh";
import route from "../shell/route.sh";
import network from "../shell/network.sh";
import observe from "../shell/observe.sh";
import traefikReplace from "../shell/traefik-replace.sh";
import { type Needs, programVariable } from "./call.ts";
import { quote } from "./command.ts";

const FILES: readonly string[] = [
  assets,
  bootstrap,
  common,
  drain,
  health,
  images,
  liveFile,
  lock,
  network,
  observe,
  versions,
  route,
  traefikReplace,
];

interface ShellFunction {
  /** The text to send, without comments and indentation. */
  readonly text: string;
  /** The functions that it calls. */
  readonly calls: readonly string[];
}

let parsed: ReadonlyMap<string, ShellFunction> | undefined;

/** The functions of `src/shell` by name. */
function shellFunctions(): ReadonlyMap<string, ShellFunction> {
  return (parsed ??= parse(FILES));
}

/** A function begins with `name() {` or `name() (` and ends with a bracket, both at the start of a line. */
function parse(files: readonly string[]): Map<string, ShellFunction> {
  const texts = new Map<string, string>();
  for (const file of files) {
    for (const [text, name] of file.matchAll(/^(\w+)\(\) [({]\n[^]*?\n[)}]$/gm)) texts.set(name!, compact(text));
  }
  return new Map(
    Array.from(texts, ([name, text]) => {
      const words = new Set(text.slice(name.length).match(/[a-z_]+/g));
      return [name, { text, calls: [...words].filter((word) => texts.has(word)) }];
    }),
  );
}

function compact(text: string): string {
  const inlined = text.replaceAll(/\$([A-Z_]+)\b/g, (all, name: string) => String(CONSTANTS[name] ?? all));
  return inlined.replaceAll(/^[ \t]*(#.*)?\n?/gm, "");
}

/** The functions that one shell on a host has. Each is sent once, ahead of the first script that calls it. */
export class ShellLibrary {
  private readonly known = new Set<string>();

  /** The definitions that the shell does not have yet, of the needed functions and of all functions that they call. */
  missing({ functions, programs }: Needs): string {
    return [
      ...Array.from(functions, (name) => this.definition(name)),
      ...Array.from(programs, (name) => this.assignment(name)),
    ].join("");
  }

  /** @throws Error when there is no such function (a bug) */
  private definition(name: string): string {
    if (this.known.has(name)) return "";
    this.known.add(name);
    const found = shellFunctions().get(name);
    if (!found) throw new Error(`there is no shell function ${name}`);
    return `${found.calls.map((called) => this.definition(called)).join("")}${found.text}\n`;
  }

  private assignment(name: string): string {
    const variable = programVariable(name);
    if (this.known.has(variable)) return "";
    this.known.add(variable);
    return `${variable}=${quote(programText(name))}\n`;
  }
}

/** A program for `sh -c`: passes its arguments to the function. */
function programText(name: string): string {
  const needs = { functions: new Set([name]), programs: new Set<string>() };
  return `${new ShellLibrary().missing(needs)}${name} "$@"`;
}
