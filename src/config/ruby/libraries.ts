import type { RubyValue } from "./ruby-values.ts";

/** Libraries of Ruby that change nothing by being loaded, and `dotenv/load`, which loads what was loaded already. */
const HARMLESS = new Set(
  "base64 bundler/setup date dotenv dotenv/load erb fileutils json open3 ostruct pathname securerandom set shellwords socket time uri yaml".split(
    " ",
  ),
);

/** Whether a `require` of these changes nothing. */
export function isHarmless([library, ...more]: readonly RubyValue[]): boolean {
  return typeof library === "string" && more.length === 0 && HARMLESS.has(library);
}
