/** A part of a template: text, or the code of a tag, whose value becomes text if it is an `output`. */
export interface Piece {
  readonly kind: "text" | "output" | "code";
  readonly code: string;
  /** Where `code` begins in the template. */
  readonly offset: number;
}

type Complain = (offset: number, message: string) => void;

/** Ruby ends a program at each of these, and would ignore the rest of the template. */
const ENDS_PROGRAM = new RegExp("[\\0\\x04\\x1a]|^__END__\\r?$", "m");

/** Splits a template into text and tags. `-%>` removes the newline after it, `<%-` the spaces and tabs before it. */
export function scan(template: string, problem: Complain): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const addText = (from: number, to: number) => {
    if (to > from) pieces.push({ kind: "text", code: template.slice(from, to), offset: from });
  };
  for (let start = template.indexOf("<%"); start !== -1; start = template.indexOf("<%", end)) {
    if (template[start + 2] === "%") {
      addText(end, start);
      pieces.push({ kind: "text", code: "<%", offset: start });
      end = start + 3;
      continue;
    }
    const close = closeOf(template, start + 2);
    if (close === -1) {
      problem(start, "this tag is not closed: write %> at its end");
      break;
    }
    const sign = "#=-".includes(template[start + 2]!) ? template[start + 2] : undefined;
    addText(end, sign === "-" ? withoutBlanks(template, end, start) : start);
    const offset = start + 2 + (sign ? 1 : 0);
    const trims = close > offset && template[close - 1] === "-";
    const code = template.slice(offset, trims ? close - 1 : close).replaceAll("%%>", "%>");
    if (sign !== "#") {
      checkEnd(code, offset, problem);
      pieces.push({ kind: sign === "=" ? "output" : "code", code, offset });
    }
    end = close + 2;
    if (trims) end += /^(?:\r?\n)?/.exec(template.slice(end, end + 2))![0].length;
  }
  addText(end, template.length);
  return pieces;
}

/** The offset of the `%>` that ends a tag, -1 without one. `%%>` stands for a literal `%>`. */
function closeOf(template: string, from: number): number {
  let close = template.indexOf("%>", from);
  while (close > from && template[close - 1] === "%") close = template.indexOf("%>", close + 2);
  return close;
}

function withoutBlanks(template: string, from: number, to: number): number {
  let end = to;
  while (end > from && (template[end - 1] === " " || template[end - 1] === "\t")) end--;
  return end;
}

function checkEnd(code: string, offset: number, problem: Complain): void {
  const found = ENDS_PROGRAM.exec(code);
  if (!found) return;
  const what = found[0].startsWith("_") ? "`__END__`" : "this control character";
  problem(offset + found.index, `${what} would end the program, and leave out what follows: remove it`);
}
