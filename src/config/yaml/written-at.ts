const PLACES = new WeakMap<object, string>();

/** Stores the position of a part of the configuration: `config/deploy.yml:12:9: accessories/db/files/0`. */
export function setWrittenAt(part: object, at: string): void {
  PLACES.set(part, at);
}

/** The stored position of a part, or `otherwise`. */
export function writtenAt(part: object, otherwise: string): string {
  return PLACES.get(part) ?? otherwise;
}
