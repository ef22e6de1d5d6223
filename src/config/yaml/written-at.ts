const PLACES = new WeakMap<object, string>();

/** Notes where a part of the configuration was written: `config/deploy.yml:12:9: accessories/db/files/0`. */
export function remember(part: object, at: string): void {
  PLACES.set(part, at);
}

/** Where it was written, or what else says which part is meant. */
export function writtenAt(part: object, otherwise: string): string {
  return PLACES.get(part) ?? otherwise;
}
