import { raw, type Shell, sh } from "../script/command.ts";

/**
 * Writes a live file as a whole: beside the directory first, then moved in, so that Traefik never reads half of one.
 * With sudo where another login user made the directory. Where the shell cannot write, `tee` tries and says why: to dash
 * a full disk is an "I/O error".
 */
export function writeLiveFile(directory: string, name: string, text: string): Shell {
  return sh`${asOwner(directory)}
[ -d ${directory} ] || as_owner mkdir -p ${directory}
if as_owner test -w ${`${directory}/..`}; then new=${`${directory}/../.${name}.new`}; else new=${`${directory}/.${name}.new`}; fi
umask 022; text=${text}
if [ "$owner" != me ] || ! printf '%s' "$text" 2>/dev/null >"$new"; then
  printf '%s' "$text" | as_owner tee "$new" >/dev/null && as_owner chmod 644 "$new" || { as_owner rm -f "$new"; exit 1; }
fi
as_owner mv -f "$new" ${`${directory}/${name}.yml`}`;
}

export function removeLiveFile(directory: string, name: string): Shell {
  return sh`${asOwner(directory)}
as_owner rm -f ${`${directory}/${name}.yml`}`;
}

function asOwner(directory: string): Shell {
  return sh`near=${directory}; ${nearestExisting("near")}
if [ -w "$near" ]; then owner=me; as_owner() { "$@"; }; else owner=other; as_owner() { sudo -n "$@"; }; fi`;
}

/** Makes of the path in a variable the nearest one above it that is there. `dirname` would be a process each time. */
export function nearestExisting(variable: string): Shell {
  const [value, up] = [raw(`$${variable}`), raw(`\${${variable}%/*}`)];
  return sh`while [ ! -e "${value}" ]; do case ${value} in /*/*|[!/]*/*) ${raw(variable)}=${up} ;; /*) ${raw(variable)}=/ ;; *) ${raw(variable)}=. ;; esac; done`;
}
