import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../../errors.ts";
import { Unsupported } from "./methods.ts";
import type { RubyValue } from "./ruby-values.ts";
import { readTextFile } from "../text-file.ts";
import type { Variables } from "../env/variables.ts";

/** The environment of a call of `ENV`, `File` or `Dotenv`. */
export interface CallContext {
  readonly environment: Variables;
  readonly cwd: string;
  /** Evaluates the block of the call; undefined if it has none. */
  readonly block: (() => Promise<RubyValue>) | undefined;
  readonly note: (message: string) => void;
}

interface ConstantCall {
  readonly least: number;
  readonly most: number;
  readonly block?: true;
  /** Its value in Ruby is of a type that is not supported here, so the call may only be a statement. */
  readonly statement?: true;
  readonly run: (args: readonly RubyValue[], context: CallContext) => Promise<RubyValue>;
}

/** A call that Ruby refuses too. */
export class Refused extends Error {}

const has: ConstantCall = {
  least: 1,
  most: 1,
  run: async ([name], { environment }) => (await environment.get(nameOf(name))) !== undefined,
};

const exists: ConstantCall = {
  least: 1,
  most: 1,
  run: async ([path], { cwd }) => existsSync(resolve(cwd, nameOf(path))),
};

/** A call of a method of a constant: `ENV.fetch`. */
export interface Call {
  readonly called: string;
  readonly args: readonly RubyValue[];
  /** Whether its value is not used. */
  readonly isStatement?: boolean;
}

/** @throws Unsupported for a method that is not known here @throws Refused for a call that Ruby refuses */
export async function callConstant({ called, args, isStatement }: Call, context: CallContext): Promise<RubyValue> {
  const known = CONSTANT_CALLS.get(called);
  const fits = known && args.length >= known.least && args.length <= known.most;
  if (!fits || (context.block && !known.block) || (known.statement && !isStatement)) throw new Unsupported();
  return known.run(args, context);
}

/** By `CONSTANT.method`. */
const CONSTANT_CALLS: ReadonlyMap<string, ConstantCall> = new Map<string, ConstantCall>([
  [
    "ENV.[]",
    { least: 1, most: 1, run: async ([name], { environment }) => (await environment.get(nameOf(name))) ?? null },
  ],
  ["ENV.[]=", { least: 2, most: 2, run: assign }],
  ["ENV.fetch", { least: 1, most: 2, block: true, run: fetch }],
  ["ENV.key?", has],
  ["ENV.has_key?", has],
  ["ENV.include?", has],
  ["File.read", { least: 1, most: 1, run: read }],
  ["File.exist?", exists],
  ["Dotenv.load", { least: 0, most: 20, statement: true, run: load(false) }],
  ["Dotenv.load!", { least: 0, most: 20, statement: true, run: load(true) }],
]);

function nameOf(value: RubyValue | undefined): string {
  if (typeof value !== "string") throw new Unsupported("this takes a string");
  if (value.includes("\0")) throw new Refused("a name cannot have a NUL byte in it");
  return value;
}

async function assign([name, value = null]: readonly RubyValue[], { environment }: CallContext): Promise<RubyValue> {
  const key = nameOf(name);
  if (key === "" || key.includes("=")) throw new Refused(`"${key}" cannot be a variable's name`);
  if (value !== null && typeof value !== "string")
    throw new Refused("a variable of ENV is a string or nil: write .to_s behind it");
  if (!environment.assign) throw new Refused("a variable cannot be set here: do it in deploy.yml or .env");
  environment.assign(key, value === null ? undefined : nameOf(value));
  return value;
}

async function fetch([name, fallback]: readonly RubyValue[], { environment, block }: CallContext): Promise<RubyValue> {
  const key = nameOf(name);
  const value = await environment.get(key);
  if (value !== undefined) return value;
  if (block) return block();
  if (fallback !== undefined) return fallback;
  throw new Refused(`${key} is not set (required by ENV.fetch)`);
}

async function read([path]: readonly RubyValue[], { cwd }: CallContext): Promise<RubyValue> {
  const file = nameOf(path);
  const text = fileText(() => readTextFile(resolve(cwd, file), file));
  if (text === undefined) throw new Refused(`cannot read ${file}: no such file`);
  return text;
}

/** A variable that is set keeps its value; of several files, the first that has it wins. */
function load(required: boolean): ConstantCall["run"] {
  return async (given, { environment, note }) => {
    const files = given.length === 0 ? [".env"] : given.map(nameOf);
    // .env was loaded before any template.
    if (given.length === 0 && !environment.load) return null;
    for (const file of files) {
      if (!environment.load) throw new Refused("a file of variables cannot be loaded here: do it in deploy.yml");
      if (fileText(() => environment.load!(file))) continue;
      if (required) throw new Refused(`cannot read ${file}: no such file`);
      if (given.length > 0) note(`there is no file ${file}, so Dotenv.load set nothing from it`);
    }
    return null;
  };
}

function fileText<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError) throw new Refused(`cannot read it: ${error.message}`);
    throw error;
  }
}
