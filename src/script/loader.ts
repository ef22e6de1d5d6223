// How a shell on a host takes one script after the other: what it is told once, and what is said in between.

/**
 * Ends the whole process group from beside it. A step that ignores TERM keeps the script from its clean-up, which then
 * is done here; USR1 says that the script does it.
 */
export const ENDING = "trap '' TERM; _c=_cleanup; trap '_c=:' USR1; kill -TERM 0; sleep 5; ( $_c ); kill -KILL 0";

/** What a shell is sent as long as its channel is open: without, its process group ends after 18 to 24 s. */
export const HEARTBEAT = "_h\n";
export const HEARTBEAT_MILLISECONDS = 5000;

/** Between the end of a script and the next one. */
export const NEXT = ".\n";

/**
 * What a shell (`/bin/sh -s`) is told once, ahead of its first script. Its first line is for a login shell's start-up file
 * that reads a line: the script finds out. While a script runs, in a shell of its own, that one's watchdog has the input;
 * in between it is the shell's own. `_t` counts the time since the last heartbeat for both. A script waits for its
 * watchdog to be dead: one that was told to end may still read what has come since, which is the next script. Each mark
 * wakes sshd, and us: the one that ends a step waits for the one that begins the next.
 *
 * `_b` and `_e` are the marks around a step, `_m` prints them; `_try`, `_step`, `_run`, `_must` and `_cap` the ways to run
 * one, the third and fourth without a shell of its own; `_end` ends a script (after the outcome step `_f$_on` that is still due), `_over` waits for `NEXT`, `_h` is a heartbeat.
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
  [ -z "$_on" ] || { _ok=$_x; ( "_f$_on" ) >/dev/null 2>&1; }
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

/**
 * What a script begins with. Tried under dash, bash --posix, busybox, mksh and zsh. `( set -e; f ); r=$?` as plain commands
 * is the one form in which set -e stays on inside; PIPE is trapped or clean-up would be lost exactly when the connection
 * is. A trapped TERM is what wakes the watchdog from `read`. It is begun ahead of the script's own traps: bash would run
 * the one for EXIT in a watchdog that ends before it could say that it has none.
 */
export const BEGINNING = String.raw`trap - EXIT HUP INT TERM
( trap : TERM
  while read -r _l; do _h; done
  ${ENDING}
) <&3 >/dev/null 2>&1 & _w=$!
exec 3<&-
trap _end EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM`;
