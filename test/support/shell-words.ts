/**
 * Splits a command line into arguments as a POSIX shell does, but expands nothing: `${X}` and `$(x)` remain text. An
 * operator between spaces is a word.
 */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= "";
    if (char === "'") {
      const end = text.indexOf("'", i + 1);
      if (end < 0) throw new Error(`an open quote: ${text}`);
      word += text.slice(i + 1, end);
      i = end;
    } else if (char === '"') {
      for (i++; text[i] !== '"'; i++) {
        if (i >= text.length) throw new Error(`an open quote: ${text}`);
        if (text[i] === "\\" && '"\\$`\n'.includes(text[i + 1]!)) i++;
        word += text[i];
      }
    } else if (char === "\\") {
      word += text[++i] ?? "";
    } else {
      word += char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
