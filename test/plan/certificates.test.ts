import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { certificateProblem, daysLeft, issuerOf } from "../../src/plan/certificates.ts";
import { selfSigned } from "../support/certificates.ts";

const read = (...given: Parameters<typeof selfSigned>) => new X509Certificate(selfSigned(...given).certificate);
const now = new Date("2026-06-01T12:00:00Z");
const certificate = read(["a.example.com", "*.b.example.com"], { subject: "/O=Example Trust/CN=E7" });

test.each([
  ["a.example.com", undefined],
  ["x.b.example.com", undefined],
  ["c.example.com", "the certificate is for a.example.com, *.b.example.com"],
])("a certificate secures its own names: %s", (name, problem) => {
  expect(certificateProblem(certificate, name, now)).toBe(problem);
});

test.each([
  ["2025-12-31T23:59:59Z", "the certificate is valid from 2026-01-01 on"],
  ["2026-01-01T00:00:00Z", undefined],
  ["2026-12-31T23:59:59Z", undefined],
  ["2027-01-01T00:00:00Z", "the certificate has expired on 2027-01-01"],
])("a certificate secures a name between its dates: %s", (at, problem) => {
  expect(certificateProblem(certificate, "a.example.com", new Date(at))).toBe(problem);
});

test("no certificate, or the one that Traefik makes for itself, secures nothing", () => {
  expect(certificateProblem(undefined, "a.example.com", now)).toBe("no certificate is served");
  const own = read(["a.example.com"], { subject: "/CN=TRAEFIK DEFAULT CERT" });
  expect(certificateProblem(own, "a.example.com", now)).toBe("Traefik serves its own default certificate");
});

test.each([
  ["2026-12-11T00:00:00Z", 21],
  ["2026-12-11T00:00:01Z", 20],
  ["2027-01-01T00:00:01Z", -1],
])("the days until the end are whole days: %s", (at, days) => {
  expect(daysLeft(certificate, new Date(at))).toBe(days);
});

test("the issuer is read from the certificate", () => {
  expect(issuerOf(certificate)).toBe("Example Trust E7");
});
