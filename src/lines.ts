/** A longer line is not for reading: it is printed in pieces, so that it does not fill the memory. */
const LONGEST = 1024 * 1024;

/** Prints whole lines of text that arrives in pieces of any length. `end` prints a last line without a newline. */
export function lineByLine(print: (line: string) => void): { add(text: string): void; end(): void } {
  let rest = "";
  const flush = () => {
    const line = rest;
    rest = "";
    print(line);
  };
  const hold = (part: string) => {
    let left = part;
    while (rest.length + left.length > LONGEST) {
      const end = wholeCharacters(left, LONGEST - rest.length);
      rest += left.slice(0, end);
      left = left.slice(end);
      flush();
    }
    rest += left;
  };
  return {
    add(text) {
      // Searches only the new text: otherwise a line of many pieces would be searched again for each piece.
      const [first = "", ...others] = text.split("\n");
      hold(first);
      for (const part of others) {
        flush();
        hold(part);
      }
    },
    end() {
      if (rest) flush();
    },
  };
}

/** The index `at`, or the one before it, so that a character of two code units is not split. */
function wholeCharacters(text: string, at: number): number {
  return /[\uD800-\uDBFF]/.test(text.charAt(at - 1)) ? at - 1 : at;
}
