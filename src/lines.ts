/** Whole lines out of pieces of text, which end wherever a packet ended; `end` gives what is left without a newline. */
export function lineByLine(print: (line: string) => void): { add(text: string): void; end(): void } {
  let rest = "";
  return {
    add(text) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const line of parts) print(line);
    },
    end() {
      if (rest) print(rest);
      rest = "";
    },
  };
}
