import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { ConfigError } from "../../errors.ts";
import { commandEnvironment } from "../env/variables.ts";
import { readTextFile } from "../text-file.ts";
import type { CallContext } from "./constants.ts";
import { isList, Refused, RubyException, RubyHash, RubySymbol, type RubyValue, Unsupported } from "./ruby-values.ts";

type Run = (args: readonly RubyValue[], context: CallContext) => Promise<RubyValue>;

/** The name of a file or of a variable. @throws Unsupported @throws Refused */
export function nameOf(value: RubyValue | undefined): string {
  if (value === null) throw new Refused("this takes a string, not nil", new RubyException("TypeError"));
  if (typeof value !== "string") throw new Unsupported("this takes a string");
  if (value.includes("\0")) throw new Refused("a name cannot have a NUL byte in it");
  return value;
}

/** @throws Refused if there is no such file, or if it cannot be read */
export const readFile: Run = async ([path, options], { cwd }) => {
  checkOptions(options, ["encoding", "mode"]);
  return textOf(nameOf(path), cwd);
};

export function textOf(file: string, cwd: string): string {
  const text = fileText(() => readTextFile(resolve(cwd, file), file));
  if (text === undefined) {
    const exception = new RubyException("Errno::ENOENT", `No such file or directory @ rb_sysopen - ${file}`);
    throw new Refused(`cannot read ${file}: no such file`, exception);
  }
  return text;
}

/** @throws Unsupported if it is no hash with these keys alone */
export function checkOptions(options: RubyValue | undefined, known: readonly string[]): void {
  if (options === undefined) return;
  const keys = options instanceof RubyHash ? options.pairs().map(([key]) => key) : [null];
  const all = keys.every((key) => key instanceof RubySymbol && known.includes(key.name));
  if (!all) throw new Unsupported("an option is not supported");
}

export function fileText<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError) throw new Refused(`cannot read it: ${error.message}`);
    throw error;
  }
}

export const exists: Run = async ([path], { cwd }) => existsSync(resolve(cwd, nameOf(path)));

export const isFile: Run = async ([path], { cwd }) =>
  statSync(resolve(cwd, nameOf(path)), { throwIfNoEntry: false })?.isFile() === true;

export const isFolder: Run = async ([path], { cwd }) =>
  statSync(resolve(cwd, nameOf(path)), { throwIfNoEntry: false })?.isDirectory() === true;

/** Slashes are doubled nowhere between two parts, as in Ruby. */
export const joinPath: Run = async (given) => {
  const flat = (values: readonly RubyValue[]): RubyValue[] =>
    values.flatMap((value) => (isList(value) ? flat(value) : [value]));
  const [first = "", ...more] = flat(given).map(nameOf);
  return more.reduce((path, part) => {
    if (path.endsWith("/") && part.startsWith("/")) return path.replace(/\/+$/, "") + part;
    return path.endsWith("/") || part.startsWith("/") ? path + part : `${path}/${part}`;
  }, first);
};

/** `File.expand_path` */
export const expandPath: Run = async ([path, folder = null], { cwd, environment }) => {
  const expanded = async (value: RubyValue): Promise<string> => {
    const name = nameOf(value);
    if (!name.startsWith("~")) return name;
    const { HOME: home } = await commandEnvironment(environment);
    if (!/^~(?:\/|$)/.test(name) || home === undefined) throw new Unsupported("the home of another user is not known");
    return home + name.slice(1);
  };
  return resolve(cwd, folder === null ? "." : await expanded(folder), await expanded(path!));
};

export const baseName: Run = async ([path, suffix = ""]) => {
  const name = basename(nameOf(path)) || "/";
  const end = suffix === ".*" ? extname(name) : nameOf(suffix);
  return end !== "" && end !== name && name.endsWith(end) ? name.slice(0, -end.length) : name;
};

export const folderName: Run = async ([path]) => dirname(nameOf(path));

export const extension: Run = async ([path]) => extname(nameOf(path));
