import { REDACTED, Secret } from "../config/env/secret.ts";

/** Shell text that is not quoted: `|`, `&&`, `"$ID"`. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `NAME=value` before a command: exported to that command alone. */
export class Assignment {
  readonly name: string;
  readonly value: string | Secret;

  constructor(name: string, value: string | Secret) {
    this.name = name;
    this.value = value;
  }
}

export type Word = string | number | Raw | Secret | Assignment;

/**
 * The words of a command. `render` quotes each string, leaves `Raw` unquoted, and writes a `Secret` as a reference to a
 * variable of the script's prologue. No builder writes quotes itself.
 */
export type Command = readonly Word[];

/** Shell text with interpolated values, made by `sh`. */
export class Shell {
  readonly text: readonly string[];
  readonly holes: readonly Hole[];

  constructor(text: readonly string[], holes: readonly Hole[]) {
    this.text = text;
    this.holes = holes;
  }
}

export type Hole = Word | Command | Shell;
export type Body = Command | Shell;

/**
 * A piece of POSIX shell, for conditions and loops. Interpolated strings and numbers are quoted, commands rendered, and
 * secrets become references: `sh\`if ${docker("image", "inspect", name)} >/dev/null; then …\``
 */
export function sh(text: TemplateStringsArray, ...holes: readonly Hole[]): Shell {
  return new Shell(text.raw, holes);
}

/** Several pieces of shell, one line each. */
export function lines(...bodies: readonly Body[]): Shell {
  const texts = ["", ...bodies.slice(1).map(() => "\n"), ""];
  return new Shell(bodies.length === 0 ? [":"] : texts, bodies);
}

/** Runs `body`, and ignores its exit status. */
export function anyway(body: Body): Shell {
  return sh`{ ${body}; } || true`;
}

export function raw(text: string): Raw {
  return new Raw(text);
}

/** `docker …`, without the words that are undefined or false. */
export function docker(...words: readonly (Word | undefined | false)[]): Command {
  return ["docker", ...words.filter((word) => word !== undefined && word !== false)];
}

export function pipe(...commands: readonly Command[]): Command {
  return joined("|", commands);
}

export function and(...commands: readonly Command[]): Command {
  return joined("&&", commands);
}

function joined(operator: string, commands: readonly Command[]): Command {
  return commands.flatMap((command, i) => (i === 0 ? command : [raw(operator), ...command]));
}

/** `command >/dev/null 2>&1`. */
export function silently(command: Command): Command {
  return [...command, raw(">/dev/null 2>&1")];
}

/** The command with secrets in its own environment, for `docker run -e NAME` without the value. */
export function withEnvironment(secrets: Iterable<readonly [string, Secret]>, command: Command): Command {
  return [...Array.from(secrets, ([name, value]) => new Assignment(name, value)), ...command];
}

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Quotes one argument for any POSIX shell, byte for byte. Words that need no quotes get none. */
export function quote(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The shell text of a command. `secretReference` gives the variable of the script that holds a secret. */
export function render(body: Body, secretReference: (secret: Secret) => string): string {
  if (body instanceof Shell) {
    return body.text
      .map((text, i) => (i === 0 ? text : renderHole(body.holes[i - 1]!, secretReference) + text))
      .join("");
  }
  return body.map((word) => renderWord(word, secretReference)).join(" ");
}

function renderHole(hole: Hole, reference: (secret: Secret) => string): string {
  if (hole instanceof Shell || Array.isArray(hole)) return render(hole as Body, reference);
  return renderWord(hole as Word, reference);
}

function renderWord(word: Word, reference: (secret: Secret) => string): string {
  if (word instanceof Raw) return word.text;
  if (word instanceof Secret) return reference(word);
  if (word instanceof Assignment) {
    return `${word.name}=${word.value instanceof Secret ? reference(word.value) : quote(word.value)}`;
  }
  return quote(String(word));
}

/** The command for a log or an error: secrets as `[REDACTED]`, without their assignments. */
export function redact(body: Body): string {
  if (body instanceof Shell) return render(body, () => REDACTED);
  return render(
    body.filter((word) => !(word instanceof Assignment && word.value instanceof Secret)),
    () => REDACTED,
  );
}
