import { SecretsCommandError } from "../secrets-command-error.ts";
import type { VendorTool } from "../vendor-tool.ts";

/** The arguments of `secrets fetch`. */
export interface FetchRequest {
  readonly names: readonly string[];
  readonly account: string | undefined;
  readonly from: string | undefined;
}

/** Values by name, in the order in which Kamal prints them. */
export type Fetched = ReadonlyMap<string, string>;

export interface Adapter {
  /** The password manager. */
  readonly title: string;
  /** Its command line tool. */
  readonly program: string;
  readonly needsAccount: boolean;
  fetch(request: FetchRequest, tool: VendorTool): Promise<Fetched>;
}

/** Each name, after `--from` and a slash. */
export function prefixed({ names, from }: FetchRequest): string[] {
  return names.map((name) => (from === undefined ? name : `${from}/${name}`));
}

/** The account, which is there if the adapter needs one. */
export function accountOf({ account }: FetchRequest): string {
  return account ?? "";
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function objectIn(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(objectIn) : [];
}

export function textIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Replaces the error of a tool by one that begins with what could not be read. */
export async function reading<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SecretsCommandError)) throw error;
    throw new SecretsCommandError(`could not read ${what}: ${error.message}`);
  }
}
