import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { type Shell } from "../script/command.ts";
import { image } from "../config/names.ts";

/**
 * Checks that a host can run the image, and that the image has the label by which it is pruned and removed. Prints the
 * image's first layer. Exits with NO_LABEL and the label's value, or OTHER_ARCHITECTURE and both names (`arm64 x86_64`).
 * @param architecture the host's, in docker's spelling; without it, the host runs `uname -m`
 */
export function checkImage(config: Config, version: string, architecture?: string): Shell {
  return call("check_image", image(config, version), config.service, ...(architecture ? [architecture] : []));
}
