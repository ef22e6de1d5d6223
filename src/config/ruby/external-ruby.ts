import { isatty } from "node:tty";
import { lineStarts } from "../yaml/line-starts.ts";
import { commandEnvironment, type Variables } from "../env/variables.ts";
import { Output } from "./erb-program.ts";
import { RUBY_SCRIPT } from "./ruby-script.ts";

/** Time for the whole template, with the commands that it runs. A password manager may wait for its user. */
const TIME_LIMIT_MS = 120_000;

/** As for a file that is read. */
const MOST_CHARACTERS = 4_000_000;

/** The text; or the offset in the template at which Ruby failed, with its message. */
export type ExternalResult =
  | { readonly kind: "rendered"; readonly output: Output }
  | { readonly kind: "failed"; readonly offset: number; readonly message: string }
  | { readonly kind: "absent" };

interface Answer {
  readonly parts?: readonly (readonly [line: number, text: string])[];
  readonly set?: Readonly<Record<string, string>>;
  readonly removed?: readonly string[];
  readonly error?: string;
  readonly line?: number;
}

/**
 * Evaluates a template with the `ruby` of this machine. The variables that it sets are set for everything that is read
 * afterwards. The template and the variables are in no argument of the process.
 */
export async function evaluateWithRuby(
  template: string,
  { environment, cwd, timeLimitMs = TIME_LIMIT_MS }: { environment: Variables; cwd: string; timeLimitMs?: number },
): Promise<ExternalResult> {
  const { execa } = await import("execa");
  const running = execa("ruby", ["-EUTF-8", "-e", RUBY_SCRIPT], {
    cwd,
    env: await (environment.all?.() ?? commandEnvironment(environment)),
    extendEnv: false,
    input: JSON.stringify({ template, terminal: isatty(0) }),
    stripFinalNewline: false,
    maxBuffer: MOST_CHARACTERS,
    timeout: timeLimitMs,
    reject: false,
  });
  // A command that the template started may outlive Ruby, and keeps its output open.
  const release = setTimeout(() => {
    running.stdout.destroy();
    running.stderr.destroy();
  }, timeLimitMs + 200);
  const result = await running;
  clearTimeout(release);
  if (result.code === "ENOENT") return { kind: "absent" };
  if (result.timedOut) return failed(`ruby took longer than ${timeLimitMs / 1000} seconds`);
  if (result.isMaxBuffer) return failed(`ruby printed more than ${MOST_CHARACTERS} characters`);
  const answer = result.exitCode === 0 ? answerOf(result.stdout) : undefined;
  const printed = result.stderr.trim().replaceAll("\n", "; ");
  if (!answer) return failed(`ruby failed (exit status ${result.exitCode})${printed && `: ${printed}`}`);
  if (answer.error !== undefined) return failedAt(template, answer, printed);
  for (const [name, value] of Object.entries(answer.set ?? {})) environment.assign?.(name, value);
  for (const name of answer.removed ?? []) environment.assign?.(name, undefined);
  return { kind: "rendered", output: outputOf(template, answer.parts ?? []) };
}

function answerOf(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

function failed(message: string, offset = 0): ExternalResult {
  return { kind: "failed", offset, message };
}

function failedAt(template: string, { error = "", line = 0 }: Answer, printed: string): ExternalResult {
  const message = `ruby: ${error.trim().replaceAll("\n", "; ")}${printed && ` (it printed: ${printed})`}`;
  return failed(message, lineStarts(template)[line - 1] ?? 0);
}

/** Each part of the text comes from a line of the template. If the line contains the part, its column is known too. */
function outputOf(template: string, parts: readonly (readonly [line: number, text: string])[]): Output {
  const output = new Output();
  const starts = lineStarts(template);
  let last = { line: 0, end: 0 };
  for (const [line, text] of parts) {
    const start = starts[line - 1] ?? 0;
    const from = last.line === line ? last.end : start;
    const found = template.indexOf(text, from);
    const verbatim = found !== -1 && found < (starts[line] ?? template.length);
    output.add(text, verbatim ? found : from, verbatim);
    last = { line, end: verbatim ? found + text.length : from };
  }
  return output;
}
