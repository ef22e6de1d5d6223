import { call } from "../script/call.ts";
import type { Hole, Shell } from "../script/command.ts";

/** Cache of `detectCurl` in the run directory: one line for each kind of image. */
export const IMAGES_FILE = "images";

/**
 * Prints `yes` or `no`: whether docker's health check, a shell that calls curl, can run in the image. Prints nothing if the
 * image is missing, or docker could not run the test.
 * @param base the image's first layer, if a previous step prints it
 */
export function detectCurl(image: string, file: string, base: Hole = ""): Shell {
  return call("image_has_curl", image, file, base);
}

/** Removes the cache if `work` fails: the image may differ from others of its kind. @param work one function of `src/shell` */
export function orRemove(work: Shell, file: string): Shell {
  return call("or_remove", file, work);
}
