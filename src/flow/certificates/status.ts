import { httpsPort } from "../../commands/traefik.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { servedCertificate } from "../../observe/served-certificate.ts";
import { certificateProblem, daysLeft, issuerOf, WARNING_DAYS } from "../../plan/certificates.ts";
import type { Run } from "../run.ts";

const REQUEST = "`mrsk ssl renew` requests a new one";
const SERVE_OWN = "`mrsk ssl renew` serves the one that is in your secrets";
/** Traefik renews a certificate without a new request. */
const SEE_LOGS = "Traefik has not renewed it: `mrsk traefik logs` shows why";

/** The certificate of one name on one host, in words. */
interface NameStatus {
  readonly host: string;
  readonly role: string;
  readonly name: string;
  readonly text: string;
  /** What makes it right; undefined if nothing is wrong. */
  readonly remedy: string | undefined;
}

/** The certificates that the selected hosts serve, for each name of the roles with `ssl`. */
export async function certificateStatus(run: Run): Promise<NameStatus[]> {
  const wanted = run.selection.app.flatMap(({ host, roles }) =>
    roles.flatMap(({ name: role, traefik, proxy }) =>
      traefik && proxy && proxy.ssl !== false
        ? proxy.hosts.map((name) => ({ host, role, name, isOwn: proxy.ssl !== "acme" }))
        : [],
    ),
  );
  const hosts = [...new Set(wanted.map(({ host }) => host))].map((host) => run.host(host));
  const found = await onHosts(hosts, (host) =>
    Promise.all(
      wanted
        .filter((one) => one.host === host.name)
        .map(async ({ isOwn, ...one }): Promise<NameStatus> => {
          const certificate = await servedCertificate(host, one.name, httpsPort(run.config));
          const now = run.clock.now();
          const problem = certificateProblem(certificate, one.name, now);
          if (problem !== undefined) return { ...one, text: problem, remedy: isOwn ? SERVE_OWN : REQUEST };
          const days = daysLeft(certificate!, now);
          const remedy = days >= WARNING_DAYS ? undefined : isOwn ? SERVE_OWN : SEE_LOGS;
          return { ...one, text: `${days} days left, by ${issuerOf(certificate!)}`, remedy };
        }),
    ),
  );
  return found.flat();
}

/** `ssl status`: a line for each name on each host. */
export async function printCertificates(run: Run): Promise<void> {
  const found = await certificateStatus(run);
  if (found.length === 0) run.print("No role has proxy/ssl\n");
  for (const { host, role, name, text } of found) run.print(`${host}  ${role}  ${name}  ${text}\n`);
}

/** Warns about certificates that are missing or end soon. */
export async function warnAboutCertificates(run: Run): Promise<void> {
  for (const { host, name, text, remedy } of await certificateStatus(run)) {
    if (remedy !== undefined) run.report({ kind: "warning", host, text: `${name}: ${text}. ${remedy}` });
  }
}
