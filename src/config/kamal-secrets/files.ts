/** The files of a destination in the order in which they are read; not all need exist. */
export function secretsFiles(path: string, destination: string | undefined): string[] {
  return [`${path}-common`, destination === undefined ? path : `${path}.${destination}`];
}
