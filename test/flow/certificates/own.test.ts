import { expect, test } from "vitest";
import type { ConfigError } from "../../../src/errors.ts";
import { Secrets } from "../../../src/config/env/secrets.ts";
import { certificateNeeds, checkOwnCertificates, ownCertificate } from "../../../src/flow/certificates/own.ts";
import { selfSigned } from "../../support/certificates.ts";
import { config, proxy, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";

const ssl = { certificate: "PEM", privateKey: "KEY" };
const secured = (name: string, hosts: readonly string[]) => role({ name, proxy: proxy({ hosts, ssl }) });
const good = selfSigned(["a.example.com", "*.b.example.com"]);
const other = selfSigned(["other.example.com"]);
const START = "config/deploy.yml: PEM and KEY (proxy/ssl of role web): ";

/** At 2026-01-02. */
function runWith(pem: string, key: string, roles = [secured("web", ["a.example.com"])]): FakeRun {
  const variables = new Map([
    ["PEM", pem],
    ["KEY", key],
  ]);
  return fakeRun(config({ roles }), { secrets: new Secrets(variables) });
}

async function problemsOf(...given: Parameters<typeof runWith>): Promise<readonly string[]> {
  const error = await checkOwnCertificates(runWith(...given)).then(
    () => undefined,
    (reason: unknown) => reason as ConfigError,
  );
  return error?.problems ?? [];
}

test("the secrets of ssl are the certificate and its key", async () => {
  const web = secured("web", ["a.example.com"]);
  expect(certificateNeeds(web)).toEqual([
    { name: "PEM", requiredBy: "proxy/ssl of role web", filled: true },
    { name: "KEY", requiredBy: "proxy/ssl of role web", filled: true },
  ]);
  expect(await ownCertificate(runWith(good.certificate, good.privateKey), web)).toEqual(good);
});

test.each(["acme", false] as const)("ssl %s names no secrets", async (value) => {
  const web = role({ proxy: proxy({ hosts: ["a.example.com"], ssl: value }) });
  expect(certificateNeeds(web)).toEqual([]);
  expect(await ownCertificate(runWith("", ""), web)).toBeUndefined();
});

test("a certificate for every name is accepted, also for a wildcard", async () => {
  const roles = [secured("web", ["a.example.com", "x.b.example.com", "*.b.example.com"])];
  expect(await problemsOf(good.certificate, good.privateKey, roles)).toEqual([]);
});

const expired = selfSigned(["a.example.com"], { from: "20250101", to: "20260101" });
const future = selfSigned(["a.example.com"], { from: "20260301" });

test.each([
  ["no PEM", "no certificate", good.privateKey, ["the certificate is no PEM text: it begins with -----BEGIN CERTIFICATE-----"]], // biome-ignore format: one line
  ["a key that is no PEM", good.certificate, "s3cret", ["the private key is no PEM text without a passphrase: it begins with -----BEGIN PRIVATE KEY-----"]], // biome-ignore format: one line
  ["another key", good.certificate, other.privateKey, ["the private key does not belong to the certificate"]],
  ["another name", other.certificate, other.privateKey, ["a.example.com: the certificate is for other.example.com"]],
  ["an expired certificate", expired.certificate, expired.privateKey, ["a.example.com: the certificate has expired on 2026-01-01"]], // biome-ignore format: one line
  ["a future certificate", future.certificate, future.privateKey, ["a.example.com: the certificate is valid from 2026-03-01 on"]], // biome-ignore format: one line
  ["two mistakes", other.certificate, good.privateKey, ["the private key does not belong to the certificate", "a.example.com: the certificate is for other.example.com"]], // biome-ignore format: one line
  ["two texts that are no PEM", "no certificate", "s3cret", ["the certificate is no PEM text: it begins with -----BEGIN CERTIFICATE-----", "the private key is no PEM text without a passphrase: it begins with -----BEGIN PRIVATE KEY-----"]], // biome-ignore format: one line
  ["a bad key and a wrong name", other.certificate, "s3cret", ["the private key is no PEM text without a passphrase: it begins with -----BEGIN PRIVATE KEY-----", "a.example.com: the certificate is for other.example.com"]], // biome-ignore format: one line
])("%s is an error with the names of the secrets", async (_, pem, key, texts) => {
  const found = await problemsOf(pem, key);
  expect(found).toEqual(texts.map((text) => START + text));
  const keyLines = key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  expect(keyLines.filter((line) => found.join("\n").includes(line))).toEqual([]);
});

test("the certificates of all roles are checked at once", async () => {
  const roles = [secured("web", ["c.example.com"]), secured("api", ["d.example.com"])];
  expect(await problemsOf(good.certificate, good.privateKey, roles)).toEqual([
    `${START}c.example.com: the certificate is for a.example.com, *.b.example.com`,
    "config/deploy.yml: PEM and KEY (proxy/ssl of role api): d.example.com: the certificate is for a.example.com, *.b.example.com",
  ]);
});

test("a missing or empty secret is an error with its name", async () => {
  const run = fakeRun(config({ roles: [secured("web", ["a.example.com"])] }), {
    secrets: new Secrets(new Map([["KEY", ""]])),
  });
  await expect(checkOwnCertificates(run)).rejects.toMatchObject({
    problems: [
      "PEM is not set (required by proxy/ssl of role web)",
      "KEY is empty (required by proxy/ssl of role web)",
    ],
  });
});
