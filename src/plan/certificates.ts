import type { X509Certificate } from "node:crypto";

/** From this many days before its end, a certificate that is served is warned about. Traefik renews 30 days before. */
export const WARNING_DAYS = 21;

const DAY_MILLISECONDS = 86_400_000;

/** Why a certificate does not secure a name; undefined if it does. */
export function certificateProblem(
  certificate: X509Certificate | undefined,
  name: string,
  now: Date,
): string | undefined {
  if (!certificate) return "no certificate is served";
  if (isTraefikDefault(certificate)) return "Traefik serves its own default certificate";
  if (certificate.checkHost(name) === undefined) {
    return `the certificate is for ${namesOf(certificate).join(", ")}`;
  }
  if (startOf(certificate) > now) return `the certificate is valid from ${day(startOf(certificate))} on`;
  if (endOf(certificate) <= now) return `the certificate has expired on ${day(endOf(certificate))}`;
  return undefined;
}

/** Whole days until the certificate ends; negative afterwards. */
export function daysLeft(certificate: X509Certificate, now: Date): number {
  return Math.floor((endOf(certificate).getTime() - now.getTime()) / DAY_MILLISECONDS);
}

/** The names of the certificate: DNS names and addresses. */
function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  if (subjectAltName !== undefined) {
    return subjectAltName.split(", ").map((entry) => entry.replace(/^(?:DNS|IP Address):/, ""));
  }
  return [/^CN=(.*)$/m.exec(subject)?.[1] ?? "no name"];
}

/** The organisation and common name of the authority. */
export function issuerOf({ issuer }: X509Certificate): string {
  const part = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(issuer)?.[1];
  return [part("O"), part("CN")].filter((text) => text !== undefined).join(" ") || "unknown";
}

/** Traefik serves it for every name without a certificate. */
function isTraefikDefault({ subject }: X509Certificate): boolean {
  return subject.includes("CN=TRAEFIK DEFAULT CERT");
}

// `validFromDate` and `validToDate` are newer than the oldest Node that is supported.

function startOf({ validFrom }: X509Certificate): Date {
  return new Date(validFrom);
}

function endOf({ validTo }: X509Certificate): Date {
  return new Date(validTo);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** What is wrong with a pair of the user's, before anything is written; empty if it can be served for every name. */
export function pairProblems(
  certificate: X509Certificate,
  matchesKey: boolean,
  names: readonly string[],
  now: Date,
): string[] {
  const wrong = matchesKey ? [] : ["the private key does not belong to the certificate"];
  for (const name of names) {
    const problem = certificateProblem(certificate, name, now);
    if (problem !== undefined) wrong.push(`${name}: ${problem}`);
  }
  return [...new Set(wrong)];
}
