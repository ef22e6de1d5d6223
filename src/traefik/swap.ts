import { type Command, raw, type Shell, sh } from "../script/command.ts";
import { BY_LABEL, PROBE_ENTRY_POINT, TRAEFIK } from "../commands/traefik.ts";

/** The second Traefik, which takes new connections while the first is replaced. */
export const SECOND = "traefik-swap";
/** The same where nothing can be led to it: the new settings are tried, no more. */
export const TRIAL = "traefik-trial";
/** Made beside the running one, started in its place. */
export const NEXT = "traefik-next";
/** The one that was replaced, until its successor serves. */
export const OLD = "traefik-old";
/** What a reboot has beside Traefik's own container, and an interrupted one leaves. */
export const SWAP_CONTAINERS: readonly string[] = [SECOND, TRIAL, NEXT, OLD];
/** Exit status: the new Traefik does not start or serve; the old one does. */
export const NOT_REPLACED = 68;
/** Exit status: another run is replacing it. */
export const BEING_REPLACED = 69;

/** Comment of every rule that is ours. */
export const COMMENT = "mrsk-swap";
/** The swap goes on when the connection is lost: this word in its command line tells that it is at work. */
export const PROCESS = "mrsk-swap-process";
const SERVE_SECONDS = 20;

/** What stands before `iptables` for the login user: nothing, or sudo. undefined: rules cannot be made. */
export type Filter = Command | undefined;

/** The name of the Traefik beside the running one. */
export function secondName(filter: Filter): string {
  return filter ? SECOND : TRIAL;
}

/** Whether the packet filter can be used, and holds rules of ours: a word a line. Changes nothing. Reads `$as`. */
export function lookForRules(): Shell {
  return sh`[ "$as" != nobody ] || exit 0
PATH=$PATH:/usr/sbin:/sbin
if rules=$($as iptables -w 5 -t nat -S PREROUTING 2>/dev/null); then
  echo redirects
  case $rules in *"--comment ${raw(COMMENT)}"*) echo rules ;; esac
fi`;
}

/** A request that the old Traefik may answer, so the new one has to. */
export interface ProbeRequest {
  readonly host: string;
  readonly path: string;
}

/**
 * Functions that the steps share: addresses, published ports (`ports`: those of the old one that the new one has a door
 * for), what is asked, the rules.
 */
export function functions(filter: Filter): Shell {
  const addresses =
    '{{if eq .HostConfig.NetworkMode "host"}}127.0.0.1 32{{else}}{{range .NetworkSettings.Networks}}{{if .IPAddress}}{{.IPAddress}} {{.IPPrefixLen}} {{end}}{{end}}{{end}}';
  const bindings =
    "{{range $inner, $list := .HostConfig.PortBindings}}{{range $list}}{{$inner}}/{{if .HostIp}}{{.HostIp}}{{else}}0.0.0.0{{end}}/{{.HostPort}}{{println}}{{end}}{{end}}";
  return sh`PATH=$PATH:/usr/sbin:/sbin
state() { docker inspect --type container --format '{{.State.Status}}' "$1" 2>/dev/null || echo gone; }
address() { docker inspect --type container --format ${addresses} "$1"; }
bindings() { docker inspect --type container --format ${bindings} "$1" | tr / ' '; }
ports() {
  kept=" $(bindings ${NEXT} | awk '{ printf "%s/%s ", $1, $2 }')"
  bindings ${TRAEFIK} | while read -r inner kind at outer; do
    case $kept in *" $inner/$kind "*) printf '%s %s %s %s\n' "$inner" "$kind" "$at" "$outer" ;; esac
  done
}
pause() { sleep 0.1 2>/dev/null || sleep 1; }
connections() {
  doors=$(bindings "$1" | awk -v preview=${PROBE_ENTRY_POINT} '$2 == "tcp" && $1 != preview { printf " %04X ", $1 }')
  pid=$(docker inspect --type container --format '{{.State.Pid}}' "$1")
  cat "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" 2>/dev/null |
    awk -v doors="$doors" '$4 == "01" { split($2, at, ":"); if (index(doors, " " at[2] " ")) open++ } END { print open + 0 }'
}
let_go() {
  end=$(( $(date +%s) + $2 ))
  while [ "$(date +%s)" -lt "$end" ] && [ "$(connections "$1")" -gt 0 ]; do pause; done
}
ask() { curl -sk --noproxy '*' -m 5 -o /dev/null -w '%{http_code}' --connect-to "::$1:$2" "$3://$4$5"; }
serves() {
  printf '%s\n' "$asked" | while read -r scheme host path inner before; do
    [ -n "$scheme" ] && bindings "$2" | grep -q "^$inner tcp " || continue
    now=$(ask "$1" "$inner" "$scheme" "$host" "$path") || now=000
    [ "$now" != "$before" ] || continue
    case $now in 000|404|502|503|504) echo "$scheme://$host$path answers $now, before it was $before"; exit 1 ;; esac
  done
}
listens() {
  first=$(bindings "$1" | awk -v preview=${PROBE_ENTRY_POINT} '$2 == "tcp" && $1 != preview { print $1; exit }')
  [ -z "$first" ] || curl -s --noproxy '*' -m 5 -o /dev/null "http://$2:$first" || [ "$?" != 7 ]
}
await() {
  end=$(( $(date +%s) + ${SERVE_SECONDS} )); wrong="The new Traefik does not answer"
  while [ "$(date +%s)" -lt "$end" ]; do
    [ "$(state "$1")" = running ] || { wrong="The new Traefik does not start"; break; }
    set -- "$1" $(address "$1")
    if [ -n "$2" ] && { [ -n "$asked" ] || listens "$1" "$2"; } && wrong=$(serves "$2" "$1"); then return 0; fi
    pause
  done
  { printf '%s\n' "$wrong"; docker logs --tail 20 "$1"; } 2>&1
  return 1
}
filter() { ${filter ? [...filter, "iptables", "-w", "5", "-t", "nat"] : ["false"]} "$@"; }
rules() { filter -S "$1" | grep -e "--comment ${raw(COMMENT)}"; }
unredirect() {
  for chain in PREROUTING OUTPUT POSTROUTING; do
    rules "$chain" | sed 's/^-A/-D/' | while read -r rule; do set -f; filter $rule; done
  done
}`;
}

/**
 * What the running Traefik answers: a line for each question that it answers with a page of somebody's: scheme, host,
 * path, port in the container, status. Nothing where none runs.
 */
export function probeOld(questions: readonly ProbeRequest[]): Shell {
  return sh`${functions(undefined)}
${collect(questions)}
collect ${TRAEFIK}`;
}

/** The function `collect CONTAINER`: lines as for `askTheOld`. */
export function collect(questions: readonly ProbeRequest[]): Shell {
  const list = questions.map(({ host, path }) => `${host} ${path}`).join("\n");
  return sh`collect() {
  [ "$(state "$1")" = running ] || return 0
  set -- "$1" $(address "$1")
  bindings "$1" | awk -v preview=${PROBE_ENTRY_POINT} '$2 == "tcp" && $1 != preview { print $1 }' | sort -u | while read -r inner; do
    for scheme in http https; do
      printf '%s\n' ${list} | while read -r host path; do
        [ -n "$host" ] || continue
        status=$(ask "$2" "$inner" "$scheme" "$host" "$path") || continue
        case $status in 404|5??) ;; *) printf '%s %s %s %s %s\n' "$scheme" "$host" "$path" "$inner" "$status" ;; esac
      done
    done
  done
}`;
}

/**
 * Makes the container that is to take over, on the networks that it needs. Prints its id. Ends with BEING_REPLACED where
 * another run is at it.
 */
export function makeNext(create: Command, join: Shell): Shell {
  return sh`if docker inspect --type container ${NEXT} >/dev/null 2>&1; then echo "Another run replaces Traefik at this moment" >&2; exit ${BEING_REPLACED}; fi
${create}
${join}`;
}

/** Starts the second Traefik with the new settings, and waits until it serves what the old one serves. */
export function startSecond(name: string, create: Command, join: Shell): Shell {
  const inner =
    "{{range $inner, $list := .HostConfig.PortBindings}}{{if $list}} --publish 127.0.0.1::{{$inner}}{{end}}{{end}}";
  return sh`${functions(undefined)}
publish=$(docker inspect --type container --format ${inner} ${NEXT})
${create} >/dev/null
${join}
docker start ${name} >/dev/null
said=$(await ${name}) || { printf '%s\n' "$said" >&2; exit ${NOT_REPLACED}; }`;
}

/** After a run that ended before the swap (`begun` is set by then): nothing is left of it. */
export function abandonSwap(): Shell {
  return sh`[ -z "$next" ] || [ -n "$begun" ] || docker rm -f ${SECOND} ${TRIAL} ${NEXT} >/dev/null 2>&1 || true`;
}

/** `swapping`: a swap is at work, whoever began it. `preparing`: so is the run that made the next container. */
export function alive(): Shell {
  // The bracket keeps the searching process from finding itself.
  return sh`swapping() { grep -slq ${`${PROCESS.slice(0, -1)}[${PROCESS.slice(-1)}]`} /proc/[0-9]*/cmdline; }
preparing() {
  by=$(docker inspect --type container --format ${`{{index .Config.Labels "${BY_LABEL}"}}`} ${NEXT} 2>/dev/null) && [ -n "$by" ] &&
    tr '\0' ' ' </proc/"$by"/cmdline 2>/dev/null | grep -q 'sh -s'
}`;
}
