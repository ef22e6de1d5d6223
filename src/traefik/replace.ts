import { asArgument, type Command, type Shell, sh } from "../script/command.ts";
import { KEPT_MEANWHILE_SECONDS, TRAEFIK } from "../commands/traefik.ts";
import {
  alive,
  BEING_REPLACED,
  collect,
  COMMENT,
  type Filter,
  functions,
  NEXT,
  NOT_REPLACED,
  OLD,
  PROCESS,
  type ProbeRequest,
  SECOND,
  TRIAL,
} from "./swap.ts";

/** What the old Traefik's own grace (10 s by default, `transport.lifeCycle.graceTimeOut`) may take. */
const STOP_SECONDS = 60;
/** Whoever is at work sends at least so often. */
const SENDING_SECONDS = 3;
/** Connections may be kept for longer than anybody wants to wait. */
const LONGEST_SECONDS = 60;

/** What a swap has to know of the Traefik that runs. */
export interface SwapOptions {
  /** Restart policy of the new container. */
  readonly policy: string;
  /** undefined: without the second Traefik's help. */
  readonly filter: Filter;
  /** After how long the old one has told every kept connection to go; undefined: it never does. */
  readonly keptSeconds: number | undefined;
}

/**
 * Replaces the container, in a session of its own: it goes on when the connection is lost, and is soon over, since
 * stopping half-way would be the one thing that loses requests. The rules stand only while it is at work. Prints what it
 * does; at its end `closed N`, in hundredths of a second, where the port was closed.
 */
export function swap({ policy, filter, keptSeconds }: SwapOptions): Shell {
  const text = asArgument(filter ? bridged(policy, filter, keptSeconds) : plain(policy));
  return sh`log=$(mktemp)
setsid sh -c ${text} ${PROCESS} "$asked" >"$log" 2>&1 </dev/null &
pid=$!; seen=0
say() { size=$(wc -c <"$log"); [ "$size" -le "$seen" ] || { tail -c +$((seen + 1)) "$log"; seen=$size; }; }
while kill -0 "$pid" 2>/dev/null; do say; sleep 0.1 2>/dev/null || sleep 1; done
status=0; wait "$pid" || status=$?
say; rm -f "$log"; exit "$status"`;
}

/** With the rules in place, the order of a lossless change: nothing stops before its successor serves. */
function bridged(policy: string, filter: Command, keptSeconds: number | undefined): Shell {
  return sh`asked=$1
${functions(filter)}
redirect() {
  set -- $(address ${SECOND}); ip=$1; prefix=$2
  ports | while read -r inner kind at outer; do
    case $at in 127.*|*:*) continue ;; esac
    [ -n "$outer" ] || continue
    there="! -d 127.0.0.0/8"; [ "$at" = 0.0.0.0 ] || there="-d $at"
    filter -I POSTROUTING -s "$ip/$prefix" -d "$ip" -p "$kind" --dport "$inner" -m conntrack --ctstate DNAT -m comment --comment ${COMMENT} -j MASQUERADE &&
    filter -I OUTPUT $there -p "$kind" --dport "$outer" -m addrtype --dst-type LOCAL -m comment --comment ${COMMENT} -j DNAT --to-destination "$ip:$inner" &&
    filter -I PREROUTING $there -p "$kind" --dport "$outer" -m addrtype --dst-type LOCAL -m comment --comment ${COMMENT} -j DNAT --to-destination "$ip:$inner" || exit 1
  done
}
echo "New connections go to the second Traefik"
if ! redirect; then
  unredirect; docker rm -f ${SECOND} ${NEXT} >/dev/null; echo "The packet filter refuses the rules"; exit ${NOT_REPLACED}
fi
echo "The old one finishes what it has"
${keptSeconds === undefined ? sh`:` : sh`let_go ${TRAEFIK} ${Math.min(keptSeconds + SENDING_SECONDS, LONGEST_SECONDS)}`}
${reviveMeanwhile()}
docker stop -t ${STOP_SECONDS} ${TRAEFIK} >/dev/null
${replaceContainer(policy)}
echo "New connections go to the new one"
unredirect
echo "The second one finishes what it has"
let_go ${SECOND} ${KEPT_MEANWHILE_SECONDS + SENDING_SECONDS}
docker stop -t ${STOP_SECONDS} ${SECOND} >/dev/null
docker rm -f ${SECOND} ${OLD} >/dev/null 2>&1
exit "$result"`;
}

/** Without them, the shortest gap: what is under way is lost with it. */
function plain(policy: string): Shell {
  return sh`asked=$1
${functions(undefined)}
clock() { cut -d' ' -f1 /proc/uptime | tr -d .; }
docker rm -f ${TRIAL} >/dev/null 2>&1
since=
if [ "$(state ${TRAEFIK})" = running ]; then
  ${reviveMeanwhile()}
  since=$(clock)
  echo "Stop the old one"
  docker kill ${TRAEFIK} >/dev/null
fi
${replaceContainer(policy)}
docker rm -f ${OLD} >/dev/null 2>&1
[ -z "$since" ] || echo "closed $(( $(clock) - since ))"
exit "$result"`;
}

/** Should the server itself go down now, the old one comes back with it though it was stopped. Sets `was`. */
function reviveMeanwhile(): Shell {
  return sh`was=$(docker inspect --type container --format '{{.HostConfig.RestartPolicy.Name}}' ${TRAEFIK})
docker update --restart always ${TRAEFIK} >/dev/null`;
}

/** The new container under Traefik's name, serving; where it does not, the old one again. Sets `result`. */
function replaceContainer(policy: string): Shell {
  return sh`result=0
docker rename ${TRAEFIK} ${OLD} 2>/dev/null
docker rename ${NEXT} ${TRAEFIK}
echo "Start the new one"
said=$(docker start ${TRAEFIK} 2>&1) && said=$(await ${TRAEFIK}) || result=${NOT_REPLACED}
if [ "$result" = 0 ]; then
  docker update --restart ${policy} ${TRAEFIK} >/dev/null
else
  printf '%s\n' "$said"
  echo "Back to the old one"
  docker rm -f ${TRAEFIK} >/dev/null
  if docker rename ${OLD} ${TRAEFIK} 2>/dev/null; then
    docker start ${TRAEFIK} >/dev/null
    await ${TRAEFIK} >/dev/null
    docker update --restart "$was" ${TRAEFIK} >/dev/null
  fi
fi`;
}

/**
 * Settles what an interrupted reboot has left, when its swap is no longer at work: one Traefik that serves, no rule, no
 * second container. Ends with BEING_REPLACED while it still is after a minute.
 */
export function repairSwap(policy: string, filter: Filter, questions: readonly ProbeRequest[]): Shell {
  return sh`${functions(filter)}
${alive()}
${collect(questions)}
tries=0
while swapping || preparing; do
  tries=$((tries + 1)); [ "$tries" -lt 600 ] || { echo "Another run replaces Traefik at this moment" >&2; exit ${BEING_REPLACED}; }
  pause
done
asked=$(collect ${SECOND})
if [ "$(state ${TRAEFIK})" = gone ]; then
  docker rename ${OLD} ${TRAEFIK} 2>/dev/null || docker rename ${NEXT} ${TRAEFIK}
fi
if ! said=$(docker start ${TRAEFIK} 2>&1); then
  docker inspect --type container ${OLD} >/dev/null 2>&1 || { printf '%s\n' "$said" >&2; exit 1; }
  docker rm -f ${TRAEFIK} >/dev/null; docker rename ${OLD} ${TRAEFIK}; docker start ${TRAEFIK} >/dev/null
fi
said=$(await ${TRAEFIK}) || { printf '%s\n' "$said" >&2; exit 1; }
docker update --restart ${policy} ${TRAEFIK} >/dev/null
${filter ? sh`unredirect; let_go ${SECOND} ${KEPT_MEANWHILE_SECONDS + SENDING_SECONDS}; docker stop -t ${STOP_SECONDS} ${SECOND} >/dev/null 2>&1 || true; docker rm -f ${SECOND} >/dev/null 2>&1 || true` : sh`:`}
docker rm -f ${TRIAL} ${NEXT} ${OLD} >/dev/null 2>&1 || true`;
}
