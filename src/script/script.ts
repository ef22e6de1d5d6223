import type { Secret } from "../config/env/secret.ts";
import { type Needs, needsOf, wordsOf } from "./call.ts";
import { type Body, quote, Raw, render, Shell } from "./command.ts";
import { ExitStatus } from "../shell/exit-status.ts";
import { BEGINNING } from "./loader.ts";

/**
 * One part of a remote script. If a `must` step fails, the script ends; after a `try` step it continues. `capture` is a
 * `must` step whose standard output later steps read. `outcome` is a `try` step about the steps since the previous outcome:
 * it also runs if one of them has ended the script. `$_ok` is 0 if they succeeded, otherwise an exit status.
 */
export interface Step {
  /** Identifies the step in code. The name is for people. */
  readonly id: string;
  readonly name: string;
  readonly body: Body;
  readonly mode: "must" | "try" | "capture" | "outcome";
  /** For a `try` step: its failure counts for the next outcome. */
  readonly counts?: boolean;
}

/** The trimmed output of a step, as a word of later steps and of the clean-up. Empty if the step has not run. */
export class Captured extends Raw {
  readonly variable: string;

  constructor(id: string) {
    const variable = `out_${id.replaceAll("-", "_")}`;
    super(`"$${variable}"`);
    this.variable = variable;
  }
}

export interface CaptureStep extends Step {
  readonly mode: "capture";
  readonly output: Captured;
}

/** Commands for one host, in one round trip. `renderScript` makes the text. */
export interface Script {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Runs when the script ends for any reason, within 5 s if the connection was lost. So files first, containers last. */
  readonly cleanup?: Body;
}

/** @param id by which code finds the step; by default the name */
export function step(name: string, body: Body, id: string = name): Step {
  return { id, name, body, mode: "must" };
}

/** A step that may fail: its exit status is in the result. */
export function attempt(name: string, body: Body, id: string = name): Step {
  return { id, name, body, mode: "try" };
}

/** A step that may fail, and whose failure counts for the next outcome. */
export function counted(name: string, body: Body, id: string = name): Step {
  return { id, name, body, mode: "try", counts: true };
}

/** Whether the script continues if the step fails. */
export function mayFail({ mode }: Step): boolean {
  return mode === "try" || mode === "outcome";
}

/** A step whose trimmed standard output is the word `output` of later steps. @param id lower-case words and dashes */
export function capture(id: string, name: string, body: Body): CaptureStep {
  return { id, name, body, mode: "capture", output: new Captured(id) };
}

export function script(title: string, steps: readonly Step[], cleanup?: Body): Script {
  return cleanup ? { title, steps, cleanup } : { title, steps };
}

/**
 * A script as text for a shell that has read `LOADER`. It runs only after all of it has arrived. Around each step it prints a
 * marker (`\x1e<nonce> b|e <step> [status]`) on both streams, and at the end `x <status>`. Secrets are unexported variables.
 * The script ends with its whole process group when standard input ends or its heartbeats stop. After `NEXT`, the shell
 * reads another script. A killed script ends its shell, with the exit status of a shell.
 * @param nonce hex digits, new for each script, so that no output can forge a marker
 * @throws Error when a secret contains a NUL character, which no shell variable can hold
 */
export function renderScript(given: Script, nonce: string): string {
  const { steps, cleanup } = given;
  const { reference, assignments } = secretPrologue();
  const tidying = cleanup ? render(cleanup, reference) : "";
  const variables = capturedVariables(given);
  // All functions come before the calls, because `_end` may call an outcome step early.
  const functions = steps.map((each, i) => `_f${i}() {\n${render(each.body, reference)}\n}`);
  const calls = steps.map((_, i) => running(steps, i));
  // BusyBox reads ahead: it may have half a heartbeat, whose end the watchdog has read. The first newline completes it.
  return `
[ "$_g" = 1 ] || exit ${ExitStatus.NOT_RECEIVED}
{ _q='\x1e${nonce}'; _tidy=${cleanup ? "yes" : ""}; _on=; trap : HUP INT TERM; (
${[...variables.map((variable) => `${variable}=`), assignments()].join("\n")}
_cleanup() {
:
${tidying}
}
${BEGINNING}
${functions.join("\n")}
${calls.join("\n")}
exit 0
) 3<&0 </dev/null
_over "$?"; }
`;
}

/**
 * Secrets as unexported variables of a script: `reference` names the variable, `assignments` are the lines that set them.
 * @throws Error (from `reference`) when a secret contains a NUL character, which no shell variable can hold
 */
export function secretPrologue(): {
  readonly reference: (secret: Secret) => string;
  readonly assignments: () => string;
  readonly secrets: () => Secret[];
} {
  const names = new Map<Secret, string>();
  return {
    reference(secret) {
      if (secret.reveal().includes("\0")) throw new Error(`the value of ${secret.name} contains a NUL character`);
      if (!names.has(secret)) names.set(secret, `_s_${names.size + 1}`);
      return `"$${names.get(secret)!}"`;
    },
    assignments: () => Array.from(names, ([secret, name]) => `${name}=${singleQuoted(secret.reveal())}`).join("\n"),
    secrets: () => [...names.keys()],
  };
}

/** The variables of the capture steps. @throws Error for a word that no previous step captures (a bug) */
function capturedVariables({ title, steps, cleanup }: Script): string[] {
  const known = new Set<string>();
  const check = (body: Body) => {
    const unknown = wordsOf(body).find((word) => word instanceof Captured && !known.has(word.variable));
    if (unknown) throw new Error(`the script "${title}" uses ${(unknown as Captured).variable} before it is captured`);
  };
  for (const one of steps) {
    check(one.body);
    if (isCapture(one)) known.add(one.output.variable);
  }
  if (cleanup) check(cleanup);
  return [...known];
}

function isCapture(one: Step): one is CaptureStep {
  return one.mode === "capture";
}

/** The call of a step, and the state that the next outcome needs. */
function running(steps: readonly Step[], index: number): string {
  const one = steps[index]!;
  if (one.mode === "outcome") return `_on=; ${plainCall(one, index)}`;
  const first = index === 0 || steps[index - 1]!.mode === "outcome";
  const next = first ? steps.findIndex(({ mode }, i) => i > index && mode === "outcome") : -1;
  const begin = next < 0 ? "" : `_on=${next}; _ok=0; `;
  const end = one.counts ? '; [ "$_r" = 0 ] || _ok=$_r' : "";
  return `${begin}${plainCall(one, index)}${end}`;
}

/** A single command needs no subshell, because `set -e` would have no effect. */
function plainCall(one: Step, index: number): string {
  const alone = !(one.body instanceof Shell);
  if (isCapture(one)) return `_cap ${index} _f${index}; ${one.output.variable}=$_o`;
  if (one.mode === "must") return `${alone ? "_must" : "_step"} ${index} _f${index}`;
  return `${alone ? "_run" : "_try"} ${index} _f${index}`;
}

function singleQuoted(value: string): string {
  const quoted = quote(value);
  return quoted.startsWith("'") || quoted.includes("'") ? quoted : `'${value}'`;
}

/** Every secret in the script. */
export function secretsOfScript({ steps, cleanup }: Script): Secret[] {
  const { reference, secrets } = secretPrologue();
  for (const { body } of steps) render(body, reference);
  if (cleanup) render(cleanup, reference);
  return secrets();
}

/** The functions of `src/shell` that the script needs. */
export function needsOfScript({ steps, cleanup }: Script): Needs {
  return needsOf([...steps.map(({ body }) => body), ...(cleanup ? [cleanup] : [])]);
}
