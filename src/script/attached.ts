import { type Body, render } from "./command.ts";
import { GO_HOME } from "./home.ts";
import { needsOf } from "./call.ts";
import { ExitStatus } from "./exit-status.ts";
import { ShellLibrary } from "./library.ts";
import { ENDING } from "./loader.ts";
import { secretPrologue } from "./script.ts";

/** One command that has the host's end of the connection to itself: a terminal, or what somebody pipes in. */
export interface Attached {
  readonly body: Body;
  /** Runs when the command has ended in any way, also when the connection was lost. */
  readonly cleanup?: Body;
}

/** Prints the mark that `markSplitter` knows: from there on, output is the command's, and so is input. */
const begin = (nonce: string) => `printf '\\036%s b 0\\n' ${nonce}`;

// When the connection is gone, nothing tells a silent command without a terminal, and with one only the shell, which
// waits for the command: sshd's process is looked after instead.
const WATCHER = `( trap - EXIT HUP INT PIPE TERM
  while kill -0 "$PPID" 2>/dev/null; do sleep 1; done
  ${ENDING}
) </dev/null >/dev/null 2>&1 & _w=$!`;

/**
 * The text that goes ahead on standard input: lines up to the nonce are the script, what comes after them is the
 * command's input. A terminal is expected to be raw and without echo, and is made an ordinary one before the command.
 * @param nonce hex digits, new for each
 */
export function renderAttached(
  { body, cleanup }: Attached,
  nonce: string,
  { terminal }: { terminal: boolean },
): string {
  const { reference, assignments } = secretPrologue();
  const command = render(body, reference);
  const last = cleanup ? render(cleanup, reference) : ":";
  const library = new ShellLibrary().missing(needsOf(cleanup ? [body, cleanup] : [body]));
  const text = `${GO_HOME}${library}${assignments()}
_cleanup() {
${last}
}
_end() { _x=$?; trap '' HUP INT TERM PIPE; kill -USR1 "$_w" 2>/dev/null; ( _cleanup ) </dev/null; exit "$_x"; }
trap _end EXIT; trap : INT; trap 'exit 129' HUP; trap 'exit 141' PIPE; trap 'exit 143' TERM
${WATCHER}
${terminal ? "stty icanon echo isig icrnl ixon opost iexten" : ":"}
${begin(nonce)}
(
${command}
)
exit "$?"`;
  return `_n=$(printf '\\nx'); _n=\${_n%x}; _t=; while IFS= read -r l && [ "$l" != ${nonce} ]; do _t=$_t$l$_n; done; [ "$l" = ${nonce} ] || exit ${ExitStatus.NOT_RECEIVED}; eval "$_t"
${text}
${nonce}
`;
}
