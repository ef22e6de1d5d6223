import * as z from "zod/mini";
import { isReserved, MOST_SECONDS, RESERVED, TOO_LONG, tooLong } from "./limits.ts";
import { durationSeconds } from "./resolve-parts.ts";
import { recordOf } from "./yaml/tree.ts";
import { HIGHEST_PORT } from "../ports.ts";

/** A key that may be missing or have no value. */
export function optional<T extends z.core.SomeType>(schema: T) {
  return z.optional(z.nullable(schema));
}

/** A map with these keys and no others. The message of its issue about unknown keys is the list of known keys. */
export function strict<T extends z.core.$ZodLooseShape>(shape: T) {
  const known = Object.keys(shape).join(" ");
  return z.strictObject(shape, { error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined) });
}

/** The schemas behind those of `lazy` and `record`, for the documentation. */
export const lazySchemas = new WeakMap<z.core.$ZodType, () => z.ZodMiniType>();

/** Makes the schema of a key when a file has the key. Most files have few keys, so every start is some milliseconds faster. */
export function lazy<T extends z.ZodMiniType>(make: () => T) {
  let made: T | undefined;
  const schema = () => (made ??= make());
  const placeholder = chosen(schema, (issues) => issues as z.core.$ZodRawIssue[]);
  lazySchemas.set(placeholder, schema);
  return placeholder;
}

/** A schema that depends on the input. @param reported makes the issues to report from those of the schema */
function chosen<T extends z.ZodMiniType>(
  choose: (input: unknown) => T,
  reported: (issues: z.core.$ZodIssue[], input: unknown) => z.core.$ZodRawIssue[],
) {
  return z.pipe(
    z.unknown(),
    z.transform((input, context): z.output<T> => {
      const parsed = z.safeParse(choose(input), input);
      if (parsed.success) return parsed.data;
      context.issues.push(...reported(parsed.error.issues, input));
      return z.NEVER;
    }),
  );
}

/**
 * A map with any names. Zod's `record` drops a key `__proto__`, which the objects that it makes cannot have.
 * @param wrong a further check: a message about a value that fits the schema, or undefined
 */
export function record<V extends z.ZodMiniType>(
  key: z.ZodMiniType<string>,
  value: V,
  wrong?: (name: string, value: z.output<V>) => string | undefined,
) {
  const schema = z.pipe(
    z.unknown(),
    z.transform((input, context): Record<string, z.output<V>> => {
      if (typeof input !== "object" || input === null || Array.isArray(input)) {
        context.issues.push({ code: "invalid_type", expected: "record", input });
        return z.NEVER;
      }
      const entries = Object.entries(input).map(([name, item]) => ({ name, ...entry(name, item) }));
      context.issues.push(...entries.flatMap(({ issues }) => issues));
      return recordOf(entries.map(({ name, parsed }) => [name, parsed] as const));
    }),
  );
  const entry = (name: string, item: unknown) => {
    const [named, parsed] = [z.safeParse(key, name), z.safeParse(value, item)];
    const message = parsed.success ? wrong?.(name, parsed.data) : undefined;
    const issues = [
      ...(named.success ? [] : [{ code: "invalid_key", origin: "record", issues: named.error.issues, path: [name] }]),
      ...(parsed.success ? [] : parsed.error.issues.map((issue) => ({ ...issue, path: [name, ...issue.path] }))),
      ...(message === undefined ? [] : [{ code: "custom", message, path: [name] }]),
    ];
    return { issues: issues as z.core.$ZodRawIssue[], parsed: parsed.data as z.output<V> };
  };
  lazySchemas.set(schema, () => z.record(key, value));
  return schema;
}

/** Text; a number is taken as its digits. */
export const text = z.pipe(z.union([z.string(), z.number()]), z.transform(String));

export function textLike(pattern: RegExp, message: string) {
  // If the word `true` matches, a boolean only lacks its quotes, and the usual message about its type says so.
  const words = ["true", "false"].some((word) => pattern.test(word)) ? text : textWithMessage(message);
  return z.pipe(words, z.string().check(z.regex(pattern, message)));
}

function textWithMessage(message: string): typeof text {
  return z.pipe(z.union([z.string(), z.number()], { error: message }), z.transform(String));
}

/** A number, with or without quotes. */
const anyNumber = z.pipe(
  z.union([z.number(), z.string().check(z.regex(/^\d{1,15}(?:\.\d{1,15})?$/, "should be a number"))]),
  z.transform(Number),
);

const atMost = z.lte(MOST_SECONDS, `should be a number of seconds, at most ${MOST_SECONDS}`);

const TOO_MANY_SECONDS = `should be at most ${MOST_SECONDS} seconds`;

export const seconds = z.pipe(
  anyNumber,
  z.number().check(z.gte(0, "should be a number of seconds, 0 or more"), atMost),
);

const WHOLE_SECONDS = "should be a whole number of seconds, 0 or more";

export const wholeSeconds = z.pipe(
  anyNumber,
  z.number().check(z.gte(0, WHOLE_SECONDS), z.multipleOf(1, WHOLE_SECONDS), atMost),
);

export const positiveSeconds = z.pipe(
  anyNumber,
  z.number().check(z.gt(0, "should be a number of seconds above 0"), atMost),
);

export function wholeNumber(least: number) {
  const message = `should be a whole number, ${least} or more`;
  return z.pipe(anyNumber, z.number().check(z.gte(least, message), z.multipleOf(1, message)));
}

const PORT = `should be a port, 1 to ${HIGHEST_PORT}`;

export const port = z.pipe(
  anyNumber,
  z.number().check(z.gte(1, PORT), z.lte(HIGHEST_PORT, PORT), z.multipleOf(1, PORT)),
);

/** A value that becomes text as by Ruby's `to_s`. */
const value = z.pipe(
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
  z.transform((written) => (written === null ? "" : String(written))),
);

const NUL = "should have no NUL byte, which no command line can carry";

export const values = record(
  z.string().check(z.regex(/^[^\s=]{1,1000}$/, "should be a name without spaces and =")),
  value,
  (key, written) =>
    written.includes("\0") ? NUL : tooLong(`${key}=${written}`) ? `cannot be used: ${TOO_LONG}` : undefined,
);

export const variableName = z.pipe(
  text,
  z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "should be the name of an environment variable")),
);

/** Options of a docker command: `true` is a flag without a value, a list repeats the option. */
export const options = record(
  z.string().check(z.regex(/^[A-Za-z0-9][^\s=]*$/, "should be the name of an option, without leading dashes")),
  z.union([z.literal(true), value, z.array(value)]),
);

/** A name that becomes part of the names of containers, files and Traefik routers. */
export const name = textLike(
  /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  "should have only letters, digits, - and _, and not start with - or _: it names containers",
);

export const host = textLike(
  /^(?:[^\s'"`;&<>|(){}-][^\s'"`;&<>|(){}]*(?<!\\)@)?(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\](?::\d{1,5})?|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*|[A-Za-z0-9_][\w.-]*(?::\d{1,5})?)$/,
  "should be a host: name or address, optionally with user@ before it and :port after it",
);

export const secretNames = z.array(
  variableName.check(z.refine((variable) => !isReserved(variable), { error: `cannot be a secret: ${RESERVED}` })),
);

const SECRET = "should be the name of an environment variable";

/** Names of variables, each also as `NAME:OTHER`: then the secret OTHER has the value. */
const aliasedSecrets = z.array(
  z.pipe(
    text,
    z.string().check(
      z.regex(/^[A-Za-z_][A-Za-z0-9_]*(?::[^\s:'"]+)?$/, SECRET),
      z.refine((written) => !isReserved(written.replace(/:.*/, "")), { error: `cannot be a secret: ${RESERVED}` }),
    ),
  ),
);

const SPLIT_KEYS = ["clear", "secret", "tags"];

/** The split forms of the schemas that `eitherForm` made, for the documentation: a transform hides them. */
export const splitForms = new WeakMap<z.core.$ZodType, z.ZodMiniType>();

/**
 * The split form if the map has one of its keys, otherwise the flat form. Not a union: zod ranks an unknown key below a
 * wrong type, and would report the mistakes of the split form for a flat map.
 */
function eitherForm<T extends z.ZodMiniType>(split: T) {
  const isSplit = (input: unknown) =>
    typeof input === "object" && input !== null && SPLIT_KEYS.some((key) => Object.hasOwn(input, key));
  const either = chosen<T | typeof values>(
    (input) => (isSplit(input) ? split : values),
    (issues, input) => [{ code: "invalid_union", errors: [issues], input }],
  );
  splitForms.set(either, split);
  return either;
}

/** `{NAME: value}`, or `{clear: {NAME: value}, secret: [NAME]}`. */
export const env = lazy(() => eitherForm(strict({ clear: optional(values), secret: optional(aliasedSecrets) })));

/** The app's env, which may also have an env for each tag of hosts. */
export const taggedEnv = lazy(() =>
  eitherForm(
    strict({
      clear: optional(values),
      secret: optional(aliasedSecrets),
      tags: optional(record(z.string(), z.nullable(env))),
    }),
  ),
);

export const healthcheck = lazy(() =>
  strict({
    cmd: optional(text),
    path: optional(text),
    port: optional(port),
    interval: optional(
      z.pipe(
        textLike(/^(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|ms|s|m|h))+$/, "should be a duration such as 1s, 500ms or 1m30s"),
        z.string().check(z.refine((written) => durationSeconds(written) <= MOST_SECONDS, { error: TOO_MANY_SECONDS })),
      ),
    ),
    max_attempts: optional(wholeNumber(1)),
    log_lines: optional(wholeNumber(0)),
    // Accepted, so that files of Kamal load. notes.ts reports that they have no effect.
    cord: optional(z.union([text, z.boolean()])),
    exposed_port: optional(port),
  }),
);

export const logging = lazy(() => strict({ driver: optional(text), options: optional(values) }));

export const order = z.enum(["start_first", "stop_first"]);
