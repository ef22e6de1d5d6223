import { format } from "./format.ts";
import { isWithoutEffect } from "./libraries.ts";
import {
  isList,
  messageOf,
  Refused,
  RubyClass,
  RubyException,
  RubyHash,
  RubyProc,
  type RubyValue,
  toText,
  Unsupported,
} from "./ruby-values.ts";
import type { Variables } from "../env/variables.ts";

interface FunctionContext {
  readonly environment: Variables;
  readonly note: (message: string) => void;
}

type Run = (args: readonly RubyValue[], context: FunctionContext, block?: RubyProc) => RubyValue | undefined;

/** Functions of Ruby that are called without a receiver. undefined: not supported with these arguments. */
const FUNCTIONS: ReadonlyMap<string, Run> = new Map<string, Run>(
  Object.entries({
    // Kamal evaluates the file as if it lay in the working directory.
    __dir__: () => ".",
    require: requireLibrary,
    format: formatted,
    sprintf: formatted,
    Integer: toInteger,
    Float: toFloat,
    String: ([value]) => (value === undefined ? undefined : toText(value)),
    Array: ([value]) => {
      if (value === null) return [];
      return isList(value)
        ? value
        : value instanceof RubyHash
          ? value.pairs()
          : value === undefined
            ? undefined
            : [value];
    },
    raise: raised,
    fail: raised,
    abort: ([message]) => {
      if (typeof message !== "string") return undefined;
      throw new Refused(message, new RubyException("SystemExit", message));
    },
    warn: ([message], { note }) => {
      if (typeof message !== "string") return undefined;
      note(message.trim());
      return null;
    },
    lambda: (_args, _context, block) => block,
    proc: (_args, _context, block) => block,
  } satisfies Record<string, Run>),
);

export function isKnownFunction(name: string): boolean {
  return FUNCTIONS.has(name);
}

/** @throws Unsupported @throws Refused */
export function callFunction(
  name: string,
  args: readonly RubyValue[],
  context: FunctionContext,
  block: RubyProc | undefined,
): RubyValue {
  const result = FUNCTIONS.get(name)?.(args, context, block);
  if (result === undefined) throw new Unsupported();
  return result;
}

function requireLibrary(args: readonly RubyValue[], { environment }: FunctionContext): RubyValue | undefined {
  if (isWithoutEffect(args)) return true;
  if (args[0] !== "dotenv/load") return undefined;
  environment.load?.(".env");
  return true;
}

function formatted([text, ...values]: readonly RubyValue[]): string | undefined {
  return typeof text === "string" ? format(text, values) : undefined;
}

function raised([what, message]: readonly RubyValue[]): undefined {
  if (typeof what === "string" && message === undefined)
    throw new Refused(what, new RubyException("RuntimeError", what));
  if (what instanceof RubyException) throw new Refused(messageOf(what), what);
  if (!(what instanceof RubyClass) || (message !== undefined && typeof message !== "string")) return undefined;
  throw new Refused(message ?? what.name, new RubyException(what.name, message ?? what.name));
}

function toInteger([value, ...more]: readonly RubyValue[]): bigint | undefined {
  if (typeof value === "bigint" && more.length === 0) return value;
  if (typeof value !== "string" || more.length > 0 || /^\s*[-+]?0[\w]/.test(value)) return undefined;
  if (value.length > 1000 || !/^\s*[-+]?\d+(?:_\d+)*\s*$/.test(value)) throw invalid("Integer", value);
  return BigInt(value.trim().replaceAll(/[+_]/g, ""));
}

function toFloat([value, ...more]: readonly RubyValue[]): number | undefined {
  if (more.length > 0) return undefined;
  if (typeof value === "bigint" || typeof value === "number") return Number(value);
  if (typeof value !== "string" || value.includes("_")) return undefined;
  if (!/^\s*[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\s*$/.test(value)) throw invalid("Float", value);
  return Number(value);
}

function invalid(type: string, value: string): Refused {
  const message = `invalid value for ${type}(): ${JSON.stringify(value)}`;
  return new Refused(message, new RubyException("ArgumentError", message));
}
