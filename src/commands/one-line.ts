/** For text in which a line has a meaning: what has several lines cannot add one. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\n\r\v\f\u0085\u2028\u2029]\s*/g, " ");
}
