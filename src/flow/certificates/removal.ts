import { removeLiveFile } from "../../commands/write-live-file.ts";
import type { Config, Role } from "../../config/config.ts";
import { containerPrefix } from "../../config/names.ts";
import type { HostFacts } from "../../plan/facts.ts";
import { type Step, step } from "../../script/script.ts";
import { certificateFileName } from "../../traefik/certificate-file.ts";

/** Removes the certificate file of a role; no steps if the host has none. */
export function removeCertificateSteps(config: Config, role: Pick<Role, "name">, facts: HostFacts): Step[] {
  const name = certificateFileName(containerPrefix(config, role));
  if (!facts.liveFiles.has(name)) return [];
  return [step(`Remove the certificate file of ${role.name}`, removeLiveFile(facts.liveDirectory, name))];
}
