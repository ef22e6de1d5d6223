import { checkSize } from "./budget.ts";
import {
  inspect,
  isNumber,
  Refused,
  RubyException,
  RubyHash,
  RubySymbol,
  type RubyValue,
  toText,
  Unsupported,
} from "./ruby-values.ts";

const DIRECTIVE = /%(?:%|\{(\w+)\}|([-+0 #]*)(?:<(\w+)>)?([-+0 #]*)(\d*)(?:\.(\d+))?([A-Za-z]))/g;

/** `format(text, *args)` @throws Unsupported for directives that are not supported @throws Refused if an argument is missing */
export function format(text: string, args: readonly RubyValue[]): string {
  const [first] = args;
  let next = 0;
  const named = (name: string): RubyValue => {
    const value = first instanceof RubyHash ? first.get(new RubySymbol(name)) : undefined;
    if (value === undefined) throw missing("KeyError", `key<${name}> not found`);
    return value;
  };
  if (text.replaceAll(DIRECTIVE, "").includes("%")) throw new Unsupported("this format is not supported");
  return text.replaceAll(DIRECTIVE, (...match: (string | undefined)[]) => {
    const [whole, braced, flagsBefore = "", angled, flagsAfter = "", width = "", precision, type = ""] = match;
    if (whole === "%%") return "%";
    if (braced !== undefined) return toText(named(braced));
    if (angled === undefined && next >= args.length) throw missing("ArgumentError", "too few arguments");
    const value = angled === undefined ? args[next++]! : named(angled);
    checkSize(Number(width) + Number(precision ?? 0));
    return padded(
      converted(value, type, precision, flagsBefore + flagsAfter),
      Number(width),
      flagsBefore + flagsAfter,
      type,
    );
  });
}

function missing(className: string, message: string): Refused {
  return new Refused(message, new RubyException(className, message));
}

function converted(value: RubyValue, type: string, precision: string | undefined, flags: string): string {
  if (flags.includes("#")) throw new Unsupported("this format is not supported");
  if (type === "s" || type === "p") {
    const text = type === "s" ? toText(value) : inspect(value);
    return precision === undefined ? text : Array.from(text).slice(0, Number(precision)).join("");
  }
  const text = numberText(value, type, precision);
  const sign = /[+ ]/.exec(flags)?.[0];
  return sign === undefined || text.startsWith("-") ? text : `${flags.includes("+") ? "+" : " "}${text}`;
}

function numberText(value: RubyValue, type: string, precision: string | undefined): string {
  if ("di".includes(type) && precision === undefined) {
    if (typeof value === "bigint") return String(value);
    if (typeof value === "number" && Number.isFinite(value)) return String(BigInt(Math.trunc(value)));
  }
  if ("xob".includes(type) && typeof value === "bigint" && value >= 0n && precision === undefined)
    return value.toString({ x: 16, o: 8, b: 2 }[type]);
  const digits = Number(precision ?? 6);
  if (type === "f" && isNumber(value) && digits <= 50 && Math.abs(Number(value)) < 1e15) {
    // Ruby rounds a half to the even digit, JavaScript rounds it up.
    const isHalf = /^50*$/.test(
      Number(value)
        .toFixed(digits + 50)
        .slice(-50),
    );
    if (!isHalf) return Number(value).toFixed(digits);
  }
  throw new Unsupported("this format is not supported");
}

function padded(text: string, width: number, flags: string, type: string): string {
  const missingCharacters = width - Array.from(text).length;
  if (missingCharacters <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missingCharacters);
  if (!flags.includes("0") || "sp".includes(type)) return " ".repeat(missingCharacters) + text;
  const [, sign, digits] = /^([-+ ]?)(.*)$/s.exec(text)!;
  return `${sign}${"0".repeat(missingCharacters)}${digits}`;
}
