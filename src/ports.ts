export const HIGHEST_PORT = 65_535;

/** The ports of a range, both ends counted; none where it is no range of ports. */
export function portsBetween(first: number, last: number): number[] {
  if (first > last || last > HIGHEST_PORT) return [];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
