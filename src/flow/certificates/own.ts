import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Role } from "../../config/config.ts";
import type { Need } from "../../config/env/secrets.ts";
import { ConfigError } from "../../errors.ts";
import { pairProblems } from "../../plan/certificates.ts";
import type { OwnCertificate } from "../../traefik/certificate-file.ts";
import type { Run } from "../run.ts";

/** The secrets that `ssl` of a role names. */
export function certificateNeeds({ name, proxy }: Role): Need[] {
  if (!proxy || typeof proxy.ssl !== "object") return [];
  const requiredBy = `proxy/ssl of role ${name}`;
  return [proxy.ssl.certificate, proxy.ssl.privateKey].map((secret) => ({ name: secret, requiredBy, filled: true }));
}

/**
 * The certificate that `ssl` of a role names, after a check of pair, names and dates; undefined if an authority issues it.
 * @throws ConfigError with everything that is wrong with it
 */
export async function ownCertificate(run: Run, role: Role): Promise<OwnCertificate | undefined> {
  const { proxy } = role;
  if (!proxy || typeof proxy.ssl !== "object") return undefined;
  const { ssl, hosts } = proxy;
  const found = await run.secrets.resolve(certificateNeeds(role));
  const pair = {
    certificate: found.get(ssl.certificate)!.reveal(),
    privateKey: found.get(ssl.privateKey)!.reveal(),
  };
  const wrong = problemsOf(pair, hosts, run.clock.now());
  if (wrong.length === 0) return pair;
  throw new ConfigError(
    wrong.map(
      (text) =>
        `${run.config.file}: ${ssl.certificate} and ${ssl.privateKey} (proxy/ssl of role ${role.name}): ${text}`,
    ),
  );
}

/** The errors contain no part of the key. */
function problemsOf({ certificate, privateKey }: OwnCertificate, hosts: readonly string[], now: Date): string[] {
  const parsed = orUndefined(() => new X509Certificate(certificate));
  const key = orUndefined(() => createPrivateKey(privateKey));
  return [
    ...(parsed ? [] : ["the certificate is no PEM text: it begins with -----BEGIN CERTIFICATE-----"]),
    ...(key ? [] : ["the private key is no PEM text without a passphrase: it begins with -----BEGIN PRIVATE KEY-----"]),
    ...(parsed ? pairProblems(parsed, key === undefined || parsed.checkPrivateKey(key), hosts, now) : []),
  ];
}

/** The result of `parse`; undefined if it throws. */
function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/** @throws ConfigError with everything that is wrong with the certificates of all roles, before anything is changed */
export async function checkOwnCertificates(run: Run): Promise<void> {
  const results = await Promise.allSettled(run.config.roles.map((role) => ownCertificate(run, role)));
  const wrong = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  const other = wrong.find((error) => !(error instanceof ConfigError));
  if (other !== undefined) throw other;
  if (wrong.length > 0) throw new ConfigError(wrong.flatMap((error) => (error as ConfigError).problems));
}
