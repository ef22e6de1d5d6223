import * as z from "zod/mini";
import { isTaken, TAKEN, TOO_LONG, tooLong } from "./limits.ts";
import { durationSeconds } from "./resolve-parts.ts";
import { recordOf } from "./yaml/tree.ts";
import { HIGHEST_PORT } from "../ports.ts";

/** A key that may be missing, or written without a value. */
export function optional<T extends z.core.SomeType>(schema: T) {
  return z.optional(z.nullable(schema));
}

/** A map with these keys and no others. Its issue about unknown keys carries the known ones as its message. */
export function strict<T extends z.core.$ZodLooseShape>(shape: T) {
  const known = Object.keys(shape).join(" ");
  return z.strictObject(shape, { error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined) });
}

/** What `later` will make, for the documentation to walk. */
export const madeLater = new WeakMap<z.core.$ZodType, () => z.ZodMiniType>();

/**
 * Most keys are not in most files: what is below such a key is made when the key is there, which saves every start some
 * milliseconds.
 */
export function later<T extends z.ZodMiniType>(make: () => T) {
  let made: T | undefined;
  const schema = () => (made ??= make());
  const placeholder = chosen(schema, (issues) => issues as z.core.$ZodRawIssue[]);
  madeLater.set(placeholder, schema);
  return placeholder;
}

/** A schema that is known when there is something to parse. @param told its mistakes, as they are told */
function chosen<T extends z.ZodMiniType>(
  choose: (input: unknown) => T,
  told: (issues: z.core.$ZodIssue[], input: unknown) => z.core.$ZodRawIssue[],
) {
  return z.pipe(
    z.unknown(),
    z.transform((input, context): z.output<T> => {
      const parsed = z.safeParse(choose(input), input);
      if (parsed.success) return parsed.data;
      context.issues.push(...told(parsed.error.issues, input));
      return z.NEVER;
    }),
  );
}

/**
 * A map with any names. The library's own drops a key `__proto__`, as the maps that it makes cannot have one.
 * @param wrong what is wrong with a value that the schemas have passed
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
  madeLater.set(schema, () => z.record(key, value));
  return schema;
}

/** Words where a number is as good as its digits. */
export const text = z.pipe(z.union([z.string(), z.number()]), z.transform(String));

export function textLike(pattern: RegExp, message: string) {
  // A boolean needs quotes where its word would do, and is another thing elsewhere.
  const words = ["true", "false"].some((word) => pattern.test(word)) ? text : textWithMessage(message);
  return z.pipe(words, z.string().check(z.regex(pattern, message)));
}

function textWithMessage(message: string): typeof text {
  return z.pipe(z.union([z.string(), z.number()], { error: message }), z.transform(String));
}

/** A number, also in quotes. */
const anyNumber = z.pipe(
  z.union([z.number(), z.string().check(z.regex(/^\d{1,15}(?:\.\d{1,15})?$/, "should be a number"))]),
  z.transform(Number),
);

/** Eleven days. A timer of Node that is set to more than 25 days ends at once. */
const MOST_SECONDS = 1_000_000;

const atMost = z.lte(MOST_SECONDS, `should be a number of seconds, at most ${MOST_SECONDS}`);

const TOO_MANY_SECONDS = `should be at most ${MOST_SECONDS} seconds`;

export const seconds = z.pipe(
  anyNumber,
  z.number().check(z.gte(0, "should be a number of seconds, 0 or more"), atMost),
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

/** A value that becomes text as Ruby's `to_s` would have it. */
const value = z.pipe(
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
  z.transform((written) => (written === null ? "" : String(written))),
);

const NUL = "should have no NUL byte, which no command line can carry";

export const values = record(
  z.string().check(z.regex(/^[^\s=]{1,1000}$/, "should be a name without blanks and =")),
  value,
  (key, written) =>
    written.includes("\0") ? NUL : tooLong(`${key}=${written}`) ? `cannot be used: ${TOO_LONG}` : undefined,
);

export const variableName = z.pipe(
  text,
  z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "should be the name of an environment variable")),
);

/** Options of a docker command: `true` is a bare flag, a list repeats it. */
export const options = record(
  z.string().check(z.regex(/^[A-Za-z0-9][^\s=]*$/, "should be an option's name without dashes in front")),
  z.union([z.literal(true), value, z.array(value)]),
);

/** For things that name containers, files and Traefik routers. */
export const name = textLike(
  /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  "should have only letters, digits, - and _, and not start with - or _: it names containers",
);

export const host = textLike(
  /^(?:[^\s'"`;&<>|(){}-][^\s'"`;&<>|(){}]*(?<!\\)@)?(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\](?::\d{1,5})?|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*|[A-Za-z0-9_][\w.-]*(?::\d{1,5})?)$/,
  "should be a host: name or address, with user@ in front or :port behind if need be",
);

export const secretNames = z.array(
  variableName.check(z.refine((variable) => !isTaken(variable), { error: `cannot be a secret: ${TAKEN}` })),
);

const SPLIT_KEYS = ["clear", "secret", "tags"];

/** The split form of a schema that `eitherForm` made: what the documentation walks, which a transform hides. */
export const splitForms = new WeakMap<z.core.$ZodType, z.ZodMiniType>();

/**
 * The split form if one of its keys is there, else the flat one. Not a union, which takes the side of the form with
 * known keys: zod counts an unknown key as a lesser mistake than a wrong type.
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
export const env = later(() => eitherForm(strict({ clear: optional(values), secret: optional(secretNames) })));

/** The app's env, which may also say what hosts with a tag get on top. */
export const taggedEnv = later(() =>
  eitherForm(
    strict({
      clear: optional(values),
      secret: optional(secretNames),
      tags: optional(record(z.string(), z.nullable(env))),
    }),
  ),
);

export const healthcheck = later(() =>
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
    // Read, so that files of later versions load: notes.ts says why they change nothing.
    cord: optional(z.union([text, z.boolean()])),
    exposed_port: optional(port),
  }),
);

export const logging = later(() => strict({ driver: optional(text), options: optional(values) }));

export const order = z.enum(["start_first", "stop_first"]);
