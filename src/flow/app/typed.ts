import { SECRET_NAME } from "../../config/env/named-secrets.ts";
import { REDACTED } from "../../config/env/secret.ts";

/** A shell word, quotes included. */
const WORD = String.raw`(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\;&|<>()])+`;

const VARIABLE_OPTION = new RegExp(String.raw`(^|\s)(-[A-Za-z]*e|--env|--build-arg)(\s+|=|)(${WORD})`, "g");
const ASSIGNMENT = new RegExp(String.raw`(^|[\s;&|('"])([A-Za-z_]\w*)=(${WORD})`, "g");
const OPTION = new RegExp(String.raw`(^|\s)(--?[A-Za-z][\w-]*)(\s+|=)(?!-)(${WORD})`, "g");
const MYSQL = new RegExp(String.raw`\b((?:mysql|mariadb)\S*\s(?:.*\s)?-p)(${WORD})`, "g");
const HEADER = /((?:authorization|[\w-]*(?:token|key|secret)):\s*(?:(?:bearer|basic|token)\s+)?)[^\s'"]+/gi;

/**
 * A command line for the audit log, which other users can read: redacts the values of variables that it sets with `-e`,
 * and arguments in the usual places of passwords.
 * @param env variables set for the command by options of mrsk
 */
export function withoutLiterals(line: string, env: ReadonlyMap<string, string>): string {
  const values = [...env.values()].filter((value) => value.length >= 4);
  return values
    .reduce((text, value) => text.replaceAll(value, REDACTED), line)
    .replaceAll(VARIABLE_OPTION, (_, before, option, between, word) => before + option + between + withoutValue(word))
    .replaceAll(ASSIGNMENT, (whole, before, name) => (SECRET_NAME.test(name) ? `${before}${name}=${REDACTED}` : whole))
    .replaceAll(OPTION, (whole, before, option, between) =>
      SECRET_NAME.test(option) ? before + option + between + REDACTED : whole,
    )
    .replaceAll(MYSQL, `$1${REDACTED}`)
    .replaceAll(HEADER, `$1${REDACTED}`)
    .replaceAll(/(:\/\/[^\s:/@]*:)[^\s/@]+@/g, `$1${REDACTED}@`);
}

/** Redacts the value of `NAME=…` or `'NAME=…'`; returns any other word unchanged. */
function withoutValue(word: string): string {
  const match = /^(['"]?)([A-Za-z_]\w*=)/.exec(word);
  return match ? `${match[1]!}${match[2]!}${REDACTED}${match[1]!}` : word;
}
