import { dirname } from "node:path/posix";
import { raw, type Shell, sh } from "../script/command.ts";

/** In the run directory: which kinds of image have a curl that runs, a line each. A cache: without it, each is looked at anew. */
export const IMAGES_FILE = "images";
/** Every line begins with it, so that an older program passes over what a newer one wrote. */
const FORMAT = "1";
const KEPT = 100;

/**
 * Prints `yes` or `no`: whether docker's health check, a shell that calls curl, can run in the image. Tried once for each
 * kind of image (the same instructions on the same base: a version differs from the one before in what they copied), in a
 * container of its own, since one that was started with a check that cannot run never becomes healthy. Prints nothing
 * where the image is not there, or docker could not try. `$image_base` is its first layer, where a step before has asked.
 */
export function lookForCurl(image: string, file: string): Shell {
  return sh`base=$image_base
[ -n "$base" ] || base=$(docker image inspect --format '{{index .RootFS.Layers 0}}' ${image} 2>/dev/null) || exit 0
made=$(docker history --no-trunc --format '{{.CreatedBy}}' ${image} 2>/dev/null | sha256sum)
kind=$base-${raw("${made%% *}")}
known=
[ ! -f ${file} ] || known=$(awk -v format=${FORMAT} -v kind="$kind" '$1 == format && $2 == kind { found = $3 } END { print found }' ${file})
if [ -z "$known" ]; then
  status=0
  docker run --rm --network none --entrypoint /bin/sh ${image} -c 'curl --version' >/dev/null 2>&1 || status=$?
  case $status in 0) known=yes ;; 126 | 127) known=no ;; *) exit 0 ;; esac
  [ -d ${dirname(file)} ] || mkdir -p ${dirname(file)}
  { [ ! -f ${file} ] || tail -n ${KEPT - 1} ${file}; printf '%s %s %s\n' ${FORMAT} "$kind" "$known"; } >${file}.$$
  mv -f ${file}.$$ ${file}
fi
echo "$known"`;
}

/** Whatever fails in `work`: the next look tries again, should an image be otherwise than others of its kind. */
export function orForget(work: Shell, file: string): Shell {
  return sh`( ${work} ) || { status=$?; rm -f ${file}; exit "$status"; }`;
}
