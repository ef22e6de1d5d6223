// The protocol by which one shell on a host runs several scripts, one after the other.

/**
 * Ends the whole process group, from a watchdog process. If a step ignores TERM, the script cannot clean up, so the watchdog
 * does it. USR1 announces that the script cleans up itself.
 */
export const ENDING = "trap '' TERM; _c=_cleanup; trap '_c=:' USR1; kill -TERM 0; sleep 5; ( $_c ); kill -KILL 0";

/** Sent regularly while the channel is open. Without it, the shell's process group ends after 18 to 24 s. */
export const HEARTBEAT = "_h\n";
export const HEARTBEAT_MILLISECONDS = 5000;

/** Sent between the end of a script and the next one. */
export const NEXT = ".\n";

/**
 * Sent once to a shell (`/bin/sh -s`), ahead of its first script. If a start-up file of the login shell reads a line, it
 * takes the first one, and the script notices that `_g` is missing. A script runs in a subshell. Its watchdog reads the
 * input while it runs, and the shell reads it between scripts. The process `_t` measures the time since the last heartbeat
 * for both. A script waits for the end of its watchdog, which could otherwise still read the beginning of the next script.
 * Every marker wakes sshd and this program, so the marker that ends a step is printed with the next one.
 *
 * `_b` and `_e` make the markers around a step, `_m` prints them. `_try`, `_step`, `_run`, `_must` and `_cap` run a step,
 * `_run` and `_must` without a subshell. `_end` ends a script, after a pending outcome step `_f$_on`. `_over` waits for
 * `NEXT`, and `_h` handles a heartbeat.
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
 * The beginning of every script. Tested under dash, bash --posix, busybox, mksh and zsh. Only `( set -e; f ); r=$?` as plain
 * commands keeps `set -e` active inside. PIPE is trapped, because otherwise a lost connection would prevent the clean-up. A
 * trapped TERM wakes the watchdog from `read`. The watchdog starts before the script sets its traps: bash would run the
 * EXIT trap in a watchdog that ends before it has reset its traps.
 */
export const BEGINNING = String.raw`trap - EXIT HUP INT TERM
( trap : TERM
  while read -r _l; do _h; done
  ${ENDING}
) <&3 >/dev/null 2>&1 & _w=$!
exec 3<&-
trap _end EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM`;
