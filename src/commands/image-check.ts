import { call } from "../script/call.ts";
import type { Hole, Shell } from "../script/command.ts";

/** In the run directory: which kinds of image have a curl that runs, a line each. A cache: without it, each is tried again. */
export const IMAGES_FILE = "images";

/**
 * Prints `yes` or `no`: whether docker's health check, a shell that calls curl, can run in the image; nothing where the
 * image is not there, or docker could not try.
 * @param base the image's first layer, where a step before prints it
 */
export function detectCurl(image: string, file: string, base: Hole = ""): Shell {
  return call("image_has_curl", image, file, base);
}

/** @param work one function of `src/shell`: where it fails, the next look tries again, should an image be otherwise than others of its kind. */
export function orRemove(work: Shell, file: string): Shell {
  return call("or_remove", file, work);
}
