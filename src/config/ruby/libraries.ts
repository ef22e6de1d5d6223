import type { RubyValue } from "./ruby-values.ts";

/** Ruby libraries without an effect on a template, and `dotenv/load`: `.env` was loaded before. */
const WITHOUT_EFFECT = new Set(
  "base64 bundler/setup date dotenv dotenv/load erb fileutils json open3 ostruct pathname securerandom set shellwords socket time uri yaml".split(
    " ",
  ),
);

/** Whether a `require` with these arguments has no effect on a template. */
export function isWithoutEffect([library, ...more]: readonly RubyValue[]): boolean {
  return typeof library === "string" && more.length === 0 && WITHOUT_EFFECT.has(library);
}
