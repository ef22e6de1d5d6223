import { type Body, render } from "./command.ts";
import { GO_HOME } from "./home.ts";
import { needsOf } from "./call.ts";
import { ExitStatus } from "../shell/exit-status.ts";
import { ShellLibrary } from "./library.ts";
import { ENDING } from "./loader.ts";
import { secretPrologue } from "./script.ts";

/** A command that uses the whole connection: the user's terminal, or piped input. */
export interface Attached {
  readonly body: Body;
  /** Runs when the command has ended for any reason, a lost connection included. */
  readonly cleanup?: Body;
}

/** Prints the marker that `markerSplitter` finds: after it, output and input belong to the command. */
const begin = (nonce: string) => `printf '\\036%s b 0\\n' ${nonce}`;

// A lost connection sends no signal to a silent command without a terminal and, with a terminal, only to the shell, which
// waits for the command. So a watcher polls for the end of sshd's process.
const WATCHER = `( trap - EXIT HUP INT PIPE TERM
  while kill -0 "$PPID" 2>/dev/null; do sleep 1; done
  ${ENDING}
) </dev/null >/dev/null 2>&1 & _w=$!`;

/**
 * The text to send first on standard input: the lines up to the nonce are the script, the rest is the command's input. The
 * terminal must be raw and without echo; the script makes it a normal one before the command.
 * @param nonce hex digits, new for each command
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
