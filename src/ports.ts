export const HIGHEST_PORT = 65_535;

/** The ports of a range, both ends included; none if it is not a valid range. */
export function portsBetween(first: number, last: number): number[] {
  if (first > last || last > HIGHEST_PORT) return [];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
