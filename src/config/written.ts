/** A map of the configuration as it was written, before the schema has checked it. */
export type Written = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Written {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a key has a value: an empty key has none. */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The value of a key; undefined if the value is no map. */
export function below(value: unknown, key: string): unknown {
  return isMap(value) ? value[key] : undefined;
}
