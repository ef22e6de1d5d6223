/** A plain YAML scalar as Ruby reads it: the value, and the text of its `to_s`. */
export interface Scalar {
  readonly value: string | number | boolean | null;
  readonly ruby: string;
  /** `53:53`: Ruby reads a number in base 60, users mean a port mapping. */
  readonly base60: boolean;
}

const FLOAT = /^[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?$/;
const INTEGER = /^(?:[-+]?0b[01_,]+|[-+]?0[0-7_,]+|[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)|[-+]?0x[0-9a-fA-F_,]+)$/;
/** Excludes `0x_`, which has no digit, and numbers that take long to parse; both remain text. */
const HAS_DIGITS = /^[-+]?(?:0b[01]{1,1000}|0x[0-9a-fA-F]{1,1000}|[0-9]{1,1000})$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}$/;
const BASE_60_FLOAT = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}\.[0-9_]*$/;

/**
 * Reads a plain scalar by the rules of Psych, Ruby's YAML library, which are neither those of YAML 1.1 nor of 1.2. There is
 * one deliberate difference: dates and `:symbols` remain text. Ruby refuses dates, and removes the colon of a symbol.
 */
export function readPlain(text: string): Scalar {
  if (text === "" || text === "~" || /^null$/i.test(text)) return { value: null, ruby: "", base60: false };
  if (/^(?:yes|true|on)$/i.test(text)) return { value: true, ruby: "true", base60: false };
  if (/^(?:no|false|off)$/i.test(text)) return { value: false, ruby: "false", base60: false };
  if (BASE_60.test(text)) return { ...integer(base60(text)), base60: true };
  if (BASE_60_FLOAT.test(text)) return { ...float(base60(text)), base60: true };
  if (/^\+?\.inf$/i.test(text)) return float(Number.POSITIVE_INFINITY);
  if (/^-\.inf$/i.test(text)) return float(Number.NEGATIVE_INFINITY);
  if (/^\.nan$/i.test(text)) return float(Number.NaN);
  if (FLOAT.test(text) && !/^[-+]?\.$/.test(text)) return float(Number(text.replaceAll(/[,_]/g, "")));
  const digits = text.replaceAll(/[,_]/g, "");
  if (INTEGER.test(text) && HAS_DIGITS.test(digits)) return integer(parseInteger(digits));
  return { value: text, ruby: text, base60: false };
}

/** Psych reads two parts as hours and minutes: `12:30` is 45000. */
function base60(text: string): number {
  const parts = text.replaceAll("_", "").split(":");
  return parts.reduce((total, part, index) => total + Number(part) * 60 ** Math.abs(index - 2), 0);
}

function parseInteger(text: string): bigint {
  const digits = text.replace(/^[-+]/, "");
  const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return text.startsWith("-") ? -magnitude : magnitude;
}

/** The text keeps the digits that a JavaScript number cannot hold. */
function integer(value: bigint | number): Scalar {
  return { value: Number(value), ruby: String(value), base60: false };
}

function float(value: number): Scalar {
  return { value, ruby: rubyFloat(value), base60: false };
}

/** Ruby's `Float#to_s`: `20.0`, `1.0e+16`, `1.0e-05`. */
export function rubyFloat(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  if (size >= 1e16 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential().split("e");
    const power = Number(exponent);
    const digits = String(Math.abs(power)).padStart(2, "0");
    return `${mantissa!.includes(".") ? mantissa : `${mantissa}.0`}e${power < 0 ? "-" : "+"}${digits}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
