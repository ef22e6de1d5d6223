import type { Secret } from "../config/secret.ts";
import { type Body, quote, render, Shell } from "./command.ts";

/**
 * One named part of a remote script. `must` ends the script when it fails, `try` goes on, `capture` is `must` whose
 * standard output also lands in the shell variable `variable` of the later steps.
 */
export interface Step {
  readonly name: string;
  readonly body: Body;
  readonly mode: "must" | "try" | "capture";
  readonly variable?: string;
}

/** Many commands, one round trip: what is sent to one host. Data; `renderScript` makes the text. */
export interface Script {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Runs when the script ends in any way, within 5 s when the connection was lost: files first, containers last. */
  readonly cleanup?: Body;
}

export function step(name: string, body: Body): Step {
  return { name, body, mode: "must" };
}

/** A step that may fail: its exit status is in the result. */
export function attempt(name: string, body: Body): Step {
  return { name, body, mode: "try" };
}

/** A step whose trimmed standard output later steps read as `$variable`. */
export function capture(variable: string, name: string, body: Body): Step {
  return { name, body, mode: "capture", variable };
}

export function script(title: string, steps: readonly Step[], cleanup?: Body): Script {
  return cleanup ? { title, steps, cleanup } : { title, steps };
}

/**
 * A script as text for a shell that was told `LOADER`. It runs nothing before all of it has come, prints a mark
 * (`\x1e<nonce> b|e <step> [status]`) on both streams around each step, keeps secrets as unexported variables, and ends
 * with its whole process group when standard input ends or stops beating. Its end is the mark `x <status>`; the shell
 * takes another script after `NEXT`. One that was killed ends its shell, with the exit status of a shell.
 * @param nonce hex digits, new for each script, so that no output can forge a mark
 * @throws Error when a secret holds a NUL character, which no shell can carry
 */
export function renderScript(script: Script, nonce: string): string {
  const { reference, assignments } = secretPrologue();
  const cleanup = script.cleanup ? render(script.cleanup, reference) : "";
  const functions = script.steps.map((step, i) => `_f${i}() {\n${render(step.body, reference)}\n}\n${call(step, i)}`);
  return `[ "$_g" = 1 ] || exit 97
{ _q='\x1e${nonce}'; _tidy=${script.cleanup ? "yes" : ""}; trap : HUP INT TERM; (
${assignments()}
_cleanup() {
:
${cleanup}
}
${MACHINERY}
${functions.join("\n")}
exit 0
) 3<&0 </dev/null
_over "$?"; }
`;
}

/**
 * Secrets as unexported variables of a script: `reference` names one, `assignments` are the lines for all it named.
 * @throws Error (from `reference`) when a secret holds a NUL character, which no shell can carry
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

/** A command alone needs no shell of its own, which each step of several commands has: `set -e` would not change a thing. */
function call(step: Step, index: number): string {
  const alone = !(step.body instanceof Shell);
  switch (step.mode) {
    case "must":
      return `${alone ? "_must" : "_step"} ${index} _f${index}`;
    case "try":
      return `${alone ? "_run" : "_try"} ${index} _f${index}`;
    default:
      return `_cap ${index} _f${index}; ${step.variable ?? "_unused"}=$_o`;
  }
}

function singleQuoted(value: string): string {
  const quoted = quote(value);
  return quoted.startsWith("'") || quoted.includes("'") ? quoted : `'${value}'`;
}

/**
 * Ends the whole process group from beside it. A step that ignores TERM keeps the script from its clean-up, which then
 * is done here; USR1 says that the script does it.
 */
export const ENDING = "trap '' TERM; _c=_cleanup; trap '_c=:' USR1; kill -TERM 0; sleep 5; ( $_c ); kill -KILL 0";

/** What a shell is sent every 5 s as long as its channel is open: without, its process group ends after 18 to 24 s. */
export const HEARTBEAT = "_h\n";

/** Between the end of a script and the next one. */
export const NEXT = ".\n";

/**
 * What a shell (`/bin/sh -s`) is told once, ahead of its first script. Its first line is for a login shell's start-up file
 * that reads a line: the script finds out. While a script runs, in a shell of its own, that one's watchdog has the input;
 * in between it is the shell's own. `_t` counts the time since the last heartbeat for both. A script waits for its
 * watchdog to be dead: one that was told to end may still read what has come since, which is the next script. Each mark
 * wakes sshd, and us: the one that ends a step waits for the one that begins the next.
 */
export const LOADER = String.raw`_g=1
_n='
'
_p=
_m() { printf '%s' "$_p"; printf '%s' "$_p" >&2; _p=; }
_b() { _p="$_p$_q b $1$_n"; _m; }
_e() { _p="$_q e $1 $2$_n"; }
_try() { _b "$1"; ( set -e; "$2" ); _r=$?; _e "$1" "$_r"; }
_step() { _try "$@"; [ "$_r" = 0 ] || exit "$_r"; }
_run() { _b "$1"; "$2"; _r=$?; _e "$1" "$_r"; }
_must() { _run "$@"; [ "$_r" = 0 ] || exit "$_r"; }
_cap() { _b "$1"; _o=$( set -e; "$2" ); _r=$?; [ -z "$_o" ] || printf '%s\n' "$_o"; _e "$1" "$_r"; [ "$_r" = 0 ] || exit "$_r"; }
_end() {
  _x=$?; trap '' HUP INT TERM PIPE; kill -USR1 "$_w" 2>/dev/null
  [ -z "$_tidy" ] || { _b cleanup; ( _cleanup ); _e cleanup "$?"; }
  [ "$_x" -gt 128 ] || { wait "$_w" 2>/dev/null; _p="$_p$_q x $_x$_n"; }
  _m; exit "$_x"
}
_h() { kill -USR2 "$_t" 2>/dev/null; }
_over() {
  [ "$1" -le 128 ] || exit "$1"
  trap - HUP INT TERM; while read -r _l && [ "$_l" != . ]; do _h; done
}
trap '' USR2
( trap - EXIT HUP INT TERM; trap '_i=0' USR2; _i=0
  while [ "$_i" -lt 4 ]; do sleep 6; _i=$((_i + 1)); done
  trap '' TERM; kill -TERM 0; sleep 8; kill -KILL 0
) </dev/null >/dev/null 2>&1 & _t=$!
trap - USR2
trap 'kill "$_t" 2>/dev/null' EXIT
`;

// Tried under dash, bash --posix, busybox, mksh and zsh. `( set -e; f ); r=$?` as plain commands is the one form in which
// set -e stays on inside; PIPE is trapped or clean-up would be lost exactly when the connection is. A trapped TERM is what
// wakes the watchdog from `read`. It is begun ahead of the script's own traps: bash would run the one for EXIT in a
// watchdog that ends before it could say that it has none.
const MACHINERY = String.raw`trap - EXIT HUP INT TERM
( trap : TERM
  while read -r _l; do _h; done
  ${ENDING}
) <&3 >/dev/null 2>&1 & _w=$!
exec 3<&-
trap _end EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM`;

/** Every secret that the script would carry. */
export function secretsOfScript(script: Script): Secret[] {
  const { reference, secrets } = secretPrologue();
  for (const { body } of script.steps) render(body, reference);
  if (script.cleanup) render(script.cleanup, reference);
  return secrets();
}
