import { checkDigits } from "./budget.ts";

/** An integer by its text: the value that the parser gives is wrong from 64 bits on. @throws TooMuch */
export function integerOf(written: string): bigint {
  const [, sign, digits = ""] = /^([-+]?)(.*)$/.exec(written.replaceAll("_", "").toLowerCase())!;
  checkDigits(digits.length);
  const octal = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits.replace(/^0d/, "");
  return sign === "-" ? -BigInt(octal) : BigInt(octal);
}
