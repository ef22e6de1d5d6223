import type * as z from "zod/mini";
import type { Path } from "./yaml/tree.ts";
import { editDistance } from "../spelling.ts";

type ZodIssue = z.core.$ZodIssue;

/** A mistake at a path of the configuration. Its position in the file is added later. */
export interface Mistake {
  readonly path: Path;
  readonly message: string;
  /** Set if a key is missing: the keys of which one is required. */
  readonly missing?: readonly Path[];
  /** The key that was probably meant by an unknown key. */
  readonly meant?: Path;
}

/** Without the missing keys that a misspelt key explains: the misspelt key is reported. */
export function withoutMisspelt(all: readonly Mistake[]): Mistake[] {
  const meant = new Set(all.flatMap((mistake) => (mistake.meant ? [mistake.meant.join("/")] : [])));
  return all.filter(({ missing }) => !missing?.some((path) => meant.has(path.join("/"))));
}

/** Zod's issues as mistakes. If no branch of a union fits, only the branch that matched furthest is reported. */
export function mistakes(issues: readonly ZodIssue[], written: unknown, below: Path = []): Mistake[] {
  return issues.flatMap((issue) => {
    const path = [...below, ...(issue.path as Path)];
    const wanted = typesWanted(issue);
    if (wanted) return [typeMistake(issue, wanted, path, at(written, path))];
    switch (issue.code) {
      case "invalid_union":
        return mistakes(furthest(issue.errors), written, path);
      case "unrecognized_keys":
        return issue.keys.map((key) => unknownKey(key, path, issue.message.split(" ")));
      case "invalid_key":
        return issue.issues.slice(0, 1).map(({ message }) => ({ path, message }));
      default:
        return [{ path, message: issue.message }];
    }
  });
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (here, part) => (typeof here === "object" && here !== null ? own(here, part) : undefined),
    value,
  );
}

function own(map: object, key: string | number): unknown {
  return Object.hasOwn(map, key) ? (map as Record<string, unknown>)[key] : undefined;
}

/** The types that are allowed, if a wrong type is the only mistake. */
function typesWanted(issue: ZodIssue): string[] | undefined {
  if (issue.code === "invalid_type") return [issue.expected];
  if (issue.code === "invalid_value") return issue.values.map((value) => `value:${String(value)}`);
  if (issue.code !== "invalid_union") return undefined;
  const branches = issue.errors.map((errors) => {
    const [only, ...more] = errors;
    return only && more.length === 0 && only.path.length === 0 ? typesWanted(only) : undefined;
  });
  return branches.every((branch) => branch !== undefined) && branches.length > 0 ? branches.flat() : undefined;
}

function typeMistake(issue: ZodIssue, wanted: readonly string[], path: Path, value: unknown): Mistake {
  if (value === undefined) return { path, message: "is required", missing: [path] };
  // A schema that takes no boolean, not even in quotes, has its own message.
  const explained = issue.code === "invalid_union" && issue.message.startsWith("should be ") && value !== null;
  if (!explained) return { path, message: typeMessage(wanted, value) };
  const without = value === false ? ": omit the key for none" : "";
  return {
    path,
    message: `${issue.message}, not ${typeof value === "boolean" ? String(value) : nameOfType(value)}${without}`,
  };
}

function nameOfType(value: unknown): string {
  return Array.isArray(value) ? "a list" : WORDS[typeof value]!;
}

const WORDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

const SCALARS = ["string", "number", "boolean", "null"];

function typeMessage(wanted: readonly string[], value: unknown): string {
  const literals = wanted.filter((type) => type.startsWith("value:")).map((type) => type.slice(6));
  if (literals.length === wanted.length) return `should be ${listed(literals)}`;
  // The first scalar type is the documented one; the others are accepted as well.
  const scalar = wanted.find((type) => SCALARS.includes(type));
  const kinds = wanted.filter((type) => type in WORDS && (!SCALARS.includes(type) || type === scalar));
  const should = `should be ${listed([...new Set(kinds.map((kind) => WORDS[kind]!))])}`;
  if (value === null) return `${should}, but is empty`;
  if (typeof value === "boolean" && scalar === "string") return `${should}, not ${value}: put quotes around it`;
  if (scalar === "boolean" && typeof value === "string" && /^(?:true|false)$/i.test(value))
    return `${should}, without quotes`;
  if (typeof value === "number" && !Number.isFinite(value)) return `${should}, not ${value}`;
  return `${should}, not ${nameOfType(value)}`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The branch whose mistakes are deepest in the value: probably the intended form. */
function furthest(branches: readonly (readonly ZodIssue[])[]): readonly ZodIssue[] {
  const ranked = branches.map((issues) => ({ issues, rank: rank(issues) }));
  ranked.sort((a, b) => b.rank - a.rank || a.issues.length - b.issues.length);
  return ranked[0]?.issues ?? [];
}

function rank(issues: readonly ZodIssue[]): number {
  if (issues.some((issue) => issue.path.length === 0 && typesWanted(issue))) return 0;
  return 1 + Math.max(0, ...issues.map(depth));
}

function depth(issue: ZodIssue): number {
  const below = issue.code === "invalid_union" ? Math.max(0, ...furthest(issue.errors).map(depth)) : 0;
  return issue.path.length + below;
}

/** Keys of older versions, and what replaced them. */
const FORMER_KEYS = new Map(
  Object.entries({
    audit_broadcast_cmd: { key: "hooks_path", advice: "write a post-deploy hook instead" },
    primary_web_role: { key: "primary_role", advice: "write primary_role" },
    ssh_user: { key: "ssh", advice: "write ssh: {user: NAME}" },
    role: { key: "roles", advice: "write roles: [NAME]" },
  }),
);

function unknownKey(key: string, below: Path, known: readonly string[]): Mistake {
  const path = [...below, key];
  const former = FORMER_KEYS.get(key);
  if (former && known.includes(former.key))
    return { path, message: `unknown key: ${key} (${former.advice})`, meant: [...below, former.key] };
  // A longer word is no misspelling, and comparing it would take long.
  const [best] = (key.length > 60 ? [] : known)
    .map((candidate) => ({ candidate, distance: editDistance(key, candidate) }))
    .toSorted((a, b) => a.distance - b.distance);
  const near = best && best.distance <= Math.max(1, Math.floor(key.length / 3)) ? best.candidate : undefined;
  if (near === undefined) return { path, message: `unknown key: ${key} (${knownKeys(known)})` };
  return { path, message: `unknown key: ${key} (did you mean ${near}?)`, meant: [...below, near] };
}

function knownKeys(known: readonly string[]): string {
  return known.length > 12 ? "the documentation lists the keys allowed here" : `known keys: ${known.join(", ")}`;
}
