/** Joins lines, for formats in which each line has a meaning: no value can add a line. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\n\r\v\f\u0085\u2028\u2029]\s*/g, " ");
}
