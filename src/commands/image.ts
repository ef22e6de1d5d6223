import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { type Shell } from "../script/command.ts";
import { image } from "./names.ts";

/**
 * Whether a host can run its image, and would find it again to prune and remove it. Prints the first layer of the image;
 * ends with NO_LABEL and the label's value, or OTHER_ARCHITECTURE and both architectures (`arm64 x86_64`).
 * @param architecture the host's, as docker calls it; without, the host is asked
 */
export function checkImage(config: Config, version: string, architecture?: string): Shell {
  return call("check_image", image(config, version), config.service, ...(architecture ? [architecture] : []));
}
