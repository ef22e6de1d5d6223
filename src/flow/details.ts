import { accessoryDetails, hasAccessories } from "./accessory.ts";
import { appDetails } from "./app/app.ts";
import { warnAboutCertificates } from "./certificates/status.ts";
import type { Run } from "./run.ts";
import { traefikDetails } from "./traefik/traefik.ts";

/** `details`: Traefik, the app and the accessories on the selected hosts. */
export async function details(run: Run): Promise<void> {
  if (run.selection.traefik.length > 0) await traefikDetails(run);
  if (run.selection.app.length > 0) await appDetails(run);
  if (hasAccessories(run)) await accessoryDetails(run, "all");
  await warnAboutCertificates(run);
}
