import type { RubyValue } from "./ruby-values.ts";

/** Ruby libraries that only define classes and methods. */
const WITHOUT_EFFECT = new Set(
  "active_support active_support/all active_support/core_ext base64 bundler bundler/setup cgi date digest dotenv English erb etc fileutils json logger net/http ostruct open3 open-uri openssl pathname pp psych rubygems securerandom set shellwords socket stringio tempfile time tmpdir uri yaml".split(
    " ",
  ),
);

/** Whether a `require` with these arguments has no effect on a template. */
export function isWithoutEffect([library, ...more]: readonly RubyValue[]): boolean {
  if (typeof library !== "string" || more.length > 0) return false;
  return WITHOUT_EFFECT.has(library) || library.startsWith("active_support/core_ext/") || library.startsWith("digest/");
}
