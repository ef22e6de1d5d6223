import { offersTls } from "../../commands/traefik.ts";
import type { Role } from "../../config/config.ts";
import { type HostFacts, readsLiveFiles } from "../../plan/facts.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { script } from "../../script/script.ts";
import { servesTls } from "../../traefik/entry-points.ts";
import { withLock } from "../lock.ts";
import { appHosts, type Run, stopIfInterrupted } from "../run.ts";
import { observeRepaired } from "../traefik/repair.ts";
import { checkOwnCertificates, ownCertificate } from "./own.ts";
import { removeCertificateSteps } from "./removal.ts";
import { type SecuredHost, secureRole } from "./secure.ts";

/** A host after a change of version, or before any. */
export interface HostToSecure {
  readonly host: string;
  readonly facts: HostFacts;
  readonly roles: readonly Role[];
  /** Whether this run has started a new Traefik since the facts were observed. */
  readonly startedTraefik: boolean;
}

/** Certificates for the roles that have `ssl`. The others lose the certificate files that they had. */
export async function secureHosts(run: Run, hosts: readonly HostToSecure[]): Promise<void> {
  await removeOldCertificates(run, hosts);
  for (const role of run.config.roles.filter(hasCertificates)) {
    stopIfInterrupted(run);
    const there = hosts.filter(({ roles }) => roles.some(({ name }) => name === role.name));
    for (const one of there.filter((other) => !canServeTls(run, other))) {
      run.report({ kind: "warning", host: one.host, text: withoutTls(run) });
    }
    const able = there
      .filter((one) => canServeTls(run, one))
      .map(({ host, facts }): SecuredHost => ({ host: run.host(host), liveDirectory: facts.liveDirectory }));
    if (able.length > 0) await secureRole(run, role, able, await ownCertificate(run, role));
  }
}

function hasCertificates({ traefik, proxy }: Role): boolean {
  return traefik && proxy !== undefined && proxy.ssl !== false;
}

async function removeOldCertificates(run: Run, hosts: readonly HostToSecure[]): Promise<void> {
  await onHosts(
    hosts.map((one) => ({ ...one, name: one.host })),
    async ({ host, facts, roles }) => {
      if (!facts.liveDirectoryWritable) return;
      const former = roles.filter((role) => !hasCertificates(role));
      const steps = former.flatMap((role) => removeCertificateSteps(run.config, role, facts));
      if (steps.length > 0) await run.host(host).run(script("Remove certificates", steps));
    },
  );
}

/** `ssl renew`: requests the certificates that are missing, and serves the user's own as they are now. */
export async function renewCertificates(run: Run): Promise<void> {
  await checkOwnCertificates(run);
  await withLock(run, async () => {
    const facts = await observeRepaired(run, appHosts(run));
    const hosts = run.selection.app.map(({ host, roles }) => ({ host, roles, facts: facts.get(host)! }));
    await secureHosts(
      run,
      hosts.map((one) => ({ ...one, startedTraefik: false })),
    );
  });
}

/** Whether Traefik reads certificate files, and has an entry point for TLS. */
function canServeTls({ config }: Run, { facts, startedTraefik }: HostToSecure): boolean {
  const { traefik, liveDirectoryWritable } = facts;
  if (!liveDirectoryWritable) return false;
  return startedTraefik
    ? offersTls(config)
    : traefik !== undefined && readsLiveFiles(traefik) && servesTls(traefik.args);
}

function withoutTls({ config }: Run): string {
  return offersTls(config)
    ? "Traefik has no entry point for TLS, so proxy/ssl has no effect: `mrsk traefik reboot` adds it, and loses no request"
    : "proxy/ssl has no effect: it needs Traefik 3 without a file provider of your own (traefik.image, traefik.args)";
}
