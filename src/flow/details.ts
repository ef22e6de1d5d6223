import { accessoryDetails } from "./accessory.ts";
import { appDetails } from "./app.ts";
import type { Run } from "./run.ts";
import { traefikDetails } from "./traefik.ts";

/** `details`: Traefik, app, accessories. */
export async function details(run: Run): Promise<void> {
  await traefikDetails(run);
  await appDetails(run);
  await accessoryDetails(run, "all");
}
