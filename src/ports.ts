/** The ports of Traefik's entry points in its container. */
export const ENTRY_POINT_PORTS = { requests: 80, probes: 8082 };

export const HIGHEST_PORT = 65_535;

/** The ports of a range, both ends included; none if it is not a valid range. */
export function portsBetween(first: number, last: number): number[] {
  if (first > last || last > HIGHEST_PORT) return [];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
