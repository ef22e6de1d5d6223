import type { Proxy, Role } from "../../config/config.ts";
import { containerPrefix, hostPart } from "../../config/names.ts";
import { Secret } from "../../config/env/secret.ts";
import { acmeErrors, httpsPort } from "../../commands/traefik.ts";
import { entryPointsOf } from "../../traefik/entry-points.ts";
import { removeLiveFile, writePrivateLiveFile } from "../../commands/write-live-file.ts";
import type { Host } from "../../hosts/host.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { servedCertificate } from "../../observe/served-certificate.ts";
import { certificateProblem } from "../../plan/certificates.ts";
import { attempt, script, step } from "../../script/script.ts";
import {
  type CertificateContent,
  certificateFile,
  certificateFileName,
  type OwnCertificate,
  type SecuredRole,
} from "../../traefik/certificate-file.ts";
import { proxyRule } from "../../traefik/proxy-labels.ts";
import { type Run, stopIfInterrupted } from "../run.ts";
import { CHALLENGE_PORT, requestMarker, type Unreached } from "./marker.ts";
import { reasonIn } from "./reason.ts";

/** Time that Traefik has to get a certificate. */
const ISSUE_SECONDS = 60;
/** Time that Traefik has to load a file. */
const LOAD_SECONDS = 5;
const INTERVAL_SECONDS = 0.5;

/** A host that serves a role with TLS. */
export interface SecuredHost {
  readonly host: Host;
  /** Absolute. */
  readonly liveDirectory: string;
}

/** A role with `ssl`, and all hosts of it on which the run acts. */
interface Secured {
  readonly run: Run;
  readonly role: Role;
  readonly proxy: Proxy;
  readonly hosts: readonly SecuredHost[];
}

/**
 * Makes a role's names answer with TLS, and redirects requests without it once a certificate is served. Can be repeated: a
 * host with a certificate keeps it. A failure is a warning, since the app answers without TLS until then.
 * @param own the certificate that `ssl` names; undefined: the authority issues one
 */
export async function secureRole(
  run: Run,
  role: Role,
  hosts: readonly SecuredHost[],
  own: OwnCertificate | undefined,
): Promise<void> {
  const proxy = role.proxy!;
  const secured = { run, role, proxy, hosts };
  if (own) return serveOwn(secured, own);
  const problems = new Map(
    await onHosts(named(hosts), async ({ secured: one }) => [one, await problemOn(secured, one)] as const),
  );
  const missing = hosts.filter((one) => problems.get(one) !== undefined);
  if (missing.length > 0) return requestFor(secured, missing);
  await writeAll(secured, () => servedContent(proxy));
}

async function serveOwn(secured: Secured, own: OwnCertificate): Promise<void> {
  await writeAll(secured, () => ({ own, redirects: secured.proxy.sslRedirect }));
  for (const [one, problem] of await waitForCertificates(secured, secured.hosts, LOAD_SECONDS)) {
    warn(secured, one.host.name, `the certificate of ${secured.role.name} is not served: ${problem}`);
  }
}

/** Requests certificates for the hosts that have none, if requests for the names reach them. */
async function requestFor(secured: Secured, missing: readonly SecuredHost[]): Promise<void> {
  const { run, proxy } = secured;
  const base = (one: SecuredHost): CertificateContent =>
    missing.includes(one) ? { challenges: true } : servedContent(proxy);
  const marker = run.newId(16);
  run.report({ kind: "title", text: `Request a certificate for ${proxy.hosts.join(", ")}...` });
  await writeAll(secured, (one) => ({ ...base(one), marker }));
  const unreached = await waitForMarker(secured, marker);
  if (unreached) {
    await writeAll(secured, (one) => (missing.includes(one) ? undefined : base(one)));
    stopIfInterrupted(run);
    warn(secured, undefined, unreachedText(unreached, secured.hosts));
    return;
  }
  await writeAll(secured, (one) => ({ ...base(one), requests: missing.includes(one) }));
  const failed = await waitForCertificates(secured, missing, ISSUE_SECONDS);
  const reasons = new Map(
    await onHosts(named([...failed.keys()]), async ({ secured: one }) => [one, await reasonOn(one)] as const),
  );
  await writeAll(secured, (one) => (failed.has(one) ? undefined : servedContent(proxy)));
  if (failed.size > 0) stopIfInterrupted(run);
  for (const [one, problem] of failed) {
    warn(secured, one.host.name, `no certificate for ${proxy.hosts.join(", ")}: ${reasons.get(one) ?? problem}`);
  }
  for (const one of missing.filter((other) => !failed.has(other))) {
    run.report({ kind: "note", host: one.host.name, text: `serves a certificate for ${proxy.hosts.join(", ")}` });
  }
}

/** The content for a host that serves a certificate of the authority: challenges still arrive, for renewals. */
function servedContent({ sslRedirect }: Proxy): CertificateContent {
  return { challenges: true, redirects: sslRedirect };
}

/** @param contentOf undefined: the file of that host is removed */
async function writeAll(
  secured: Secured,
  contentOf: (one: SecuredHost) => CertificateContent | undefined,
): Promise<void> {
  await onHosts(named(secured.hosts), async ({ secured: one }) => {
    const content = contentOf(one);
    const text = content && certificateFile(securedRole(secured, one), content);
    const name = certificateFileName(containerPrefix(secured.run.config, secured.role));
    const body =
      text === undefined
        ? removeLiveFile(one.liveDirectory, name)
        : writePrivateLiveFile(one.liveDirectory, name, new Secret("the certificate file", text));
    await one.host.run(script("Certificate", [step("Write the certificate file", body)]));
  });
}

function securedRole({ run: { config }, role, proxy }: Secured, of: SecuredHost): SecuredRole {
  const { plain, tls } = entryPointsOf(config);
  return {
    name: containerPrefix(config, role),
    hostNames: proxy.hosts,
    rule: proxyRule(proxy),
    plainEntryPoints: plain,
    tlsEntryPoints: tls,
    peers: role.hosts.filter((other) => other !== of.host.name).map(hostPart),
    port: httpsPort(config),
  };
}

/** Waits until the marker is seen under every name. @returns the first name where it is not */
async function waitForMarker({ run, proxy }: Secured, marker: string): Promise<Unreached | undefined> {
  return waitUntilNone(run, LOAD_SECONDS, async () => {
    const found = await Promise.all(proxy.hosts.map((name) => requestMarker(name, marker, CHALLENGE_PORT)));
    return found.find((unreached) => unreached !== undefined);
  });
}

/** Waits until the hosts serve valid certificates. @returns the hosts that do not, with the problem */
async function waitForCertificates(
  secured: Secured,
  hosts: readonly SecuredHost[],
  seconds: number,
): Promise<ReadonlyMap<SecuredHost, string>> {
  const waiting = await waitUntilNone(secured.run, seconds, async () => {
    const problems = await onHosts(
      named(hosts),
      async ({ secured: one }) => [one, await problemOn(secured, one)] as const,
    );
    const found = problems.filter((pair): pair is [SecuredHost, string] => pair[1] !== undefined);
    return found.length === 0 ? undefined : found;
  });
  return new Map(waiting);
}

/** Repeats the check until it finds nothing, the time is over, or the run is interrupted. @returns its last finding */
async function waitUntilNone<T>(
  { clock, signal }: Run,
  seconds: number,
  check: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const end = clock.now().getTime() + seconds * 1000;
  for (;;) {
    const found = await check();
    if (found === undefined || signal.aborted || clock.now().getTime() >= end) return found;
    await clock.sleep(INTERVAL_SECONDS, signal);
  }
}

/** What is wrong with the certificate of one of the names; undefined if each has one. */
async function problemOn({ run, proxy }: Secured, { host }: SecuredHost): Promise<string | undefined> {
  for (const name of proxy.hosts) {
    const certificate = await servedCertificate(host, name, httpsPort(run.config));
    const problem = certificateProblem(certificate, name, run.clock.now());
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The authority's own words in Traefik's log. */
async function reasonOn({ host }: SecuredHost): Promise<string | undefined> {
  const work = script("Certificate", [attempt("Traefik's log", acmeErrors(ISSUE_SECONDS + LOAD_SECONDS), "log")]);
  return reasonIn((await host.run(work)).text("log"));
}

function unreachedText({ name, dns, response }: Unreached, hosts: readonly SecuredHost[]): string {
  const there = hosts.map(({ host }) => hostPart(host.name)).join(", ");
  return `no certificate was requested: http://${name} does not reach ${there}. From this machine DNS answers ${dns} for ${name}; ${response}. When its address is right, run \`mrsk ssl renew\`.`;
}

function warn({ run }: Secured, host: string | undefined, text: string): void {
  run.report(host === undefined ? { kind: "warning", text } : { kind: "warning", host, text });
}

function named(hosts: readonly SecuredHost[]): { readonly name: string; readonly secured: SecuredHost }[] {
  return hosts.map((secured) => ({ name: secured.host.name, secured }));
}
