import { raw, type Shell, sh } from "../script/command.ts";
import { PROBE_ENTRY_POINT, TRAEFIK } from "./traefik.ts";

/**
 * Defines `ask HOST URL SECONDS`: prints the status line and the headers of the answer, without following a redirect.
 * The server's curl does it, or its wget, GNU's or BusyBox's. Lines may end with a carriage return. It ends its shell, so
 * that one process less is made: call it as `$(ask …)`.
 */
export const ASK: Shell = sh`ask() {
  if command -v curl >/dev/null 2>&1; then exec curl -s -m "$3" -o /dev/null -D - -H "Host: $1" "$2"
  else { if wget --version >/dev/null 2>&1; then wget -q -S -O /dev/null -t 1 --max-redirect=0 -T "$3" --header "Host: $1" "$2" 2>&1
    else wget -q -S -O /dev/null -T "$3" --header "Host: $1" "$2" 2>&1
    fi; } | sed 's/^ *//'
  fi
}`;

/** Sets `$base`, where a Traefik that was just started answers previews: its published port, else its own address. */
export function findPreview(): Shell {
  const published = `{{with index .NetworkSettings.Ports "${PROBE_ENTRY_POINT}/tcp"}}{{with index . 0}}{{.HostIp}}:{{.HostPort}}{{end}}{{end}}`;
  const addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
  return sh`set -- $(docker inspect --type container --format ${`${published} ${addresses}`} ${TRAEFIK})
case $1 in *:*) ;; *) set -- ${raw('"${1:-127.0.0.1}"')}:${PROBE_ENTRY_POINT} ;; esac
base=http://$1`;
}

/**
 * Says, on standard error, what keeps Traefik from routing to a container that runs: `hints` from its configuration,
 * docker's opinion of the container, networks apart, and what Traefik's own log says about it. Nothing where `$answer`
 * carries the mark: it came from the app.
 */
export function whyNotRouted(container: string, hints: readonly string[]): Shell {
  const networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
  const health = "{{if .State.Health}}{{.State.Health.Status}}{{end}}";
  return sh`case $answer in *X-Mrsk-Live*) ;; *)
  ${hints.length > 0 ? (["printf", "%s\\n", ...hints] as const) : sh`:`}
  health=$(docker inspect --type container --format ${health} ${container} 2>/dev/null) || health=
  case $health in starting|unhealthy) echo "Docker calls it $health, and Traefik leaves such containers out" ;; esac
  its=$(docker inspect --type container --format ${networks} ${container} 2>/dev/null) || its=
  of=$(docker inspect --type container --format ${networks} ${TRAEFIK} 2>/dev/null) || of=
  common=
  for network in $its; do case " $of host " in *" $network "*) common=yes ;; esac; done
  case " $of" in *" host "*) common=yes ;; esac
  [ -n "$common" ] || echo "It is on the network $its, Traefik on $of: they do not reach each other. Set network for both"
  docker logs --since 10m ${TRAEFIK} 2>&1 | grep -F ${container} | grep -E 'ERR|WRN|"level":"(error|warn)' | tail -n 3
  ;; esac >&2`;
}
