/** No output has a longer line for a person to read: what is longer comes in pieces. */
const LONGEST = 1024 * 1024;

/** Whole lines out of pieces of text, which end wherever a packet ended; `end` gives what is left without a newline. */
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
      // Only the new text is searched: a line of many pieces would be searched again with each of them.
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

/** A place near `at` that is not inside a character of two units. */
function wholeCharacters(text: string, at: number): number {
  return /[\uD800-\uDBFF]/.test(text.charAt(at - 1)) ? at - 1 : at;
}
