/** How many letters must be added, removed, changed or swapped with their neighbour to turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(change, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The names equal to the word, otherwise the names that begin with it, otherwise those that differ by a few letters. `-`
 * and `_` are the same.
 */
export function similarNames(word: string, names: readonly string[]): string[] {
  const wanted = word.toLowerCase().replaceAll("_", "-");
  const nearness: ((name: string) => boolean)[] = [
    (name) => name === wanted,
    (name) => wanted !== "" && name.startsWith(wanted),
    (name) => editDistance(wanted, name) <= mostMistypedLetters(name),
  ];
  return nearness.map((test) => names.filter(test)).find((found) => found.length > 0) ?? [];
}

function mostMistypedLetters(name: string): number {
  return Math.max(1, Math.floor(name.length / 3));
}

/** `Did you mean deploy?`, or `Did you mean one of …?`; undefined without a name. */
export function didYouMean(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `Did you mean ${names.length === 1 ? "" : "one of "}${names.join(", ")}?`;
}
