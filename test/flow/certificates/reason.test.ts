import { expect, test } from "vitest";
import { reasonIn } from "../../../src/flow/certificates/reason.ts";

const refused = String.raw`2026-11-30T16:46:11Z ERR Unable to obtain ACME certificate for domains error="unable to generate a certificate for the domains [a.example.com]: error: one or more domains had a problem:\n[a.example.com] invalid authorization: acme: error: 400 :: urn:ietf:params:acme:error:connection :: Fetching http://a.example.com/.well-known/acme-challenge/x: connection refused\n" ACME CA=https://ca.example/dir acmeCA=https://ca.example/dir domains=["a.example.com"] providerName=mrsk.acme`;
const limited = String.raw`2026-11-30T16:47:00Z ERR Unable to obtain ACME certificate for domains error="cannot get ACME client get directory at 'https://ca.example/dir': tls: failed" ACME CA=https://ca.example/dir`;

test("the reason is the authority's own error in the newest line", () => {
  expect(reasonIn(`other\n${limited}\n${refused}\nlater`)).toBe(
    "400 :: urn:ietf:params:acme:error:connection :: Fetching http://a.example.com/.well-known/acme-challenge/x: connection refused",
  );
});

test("an error before the authority answers is Traefik's", () => {
  expect(reasonIn(`${refused}\n${limited}`)).toBe(
    "cannot get ACME client get directory at 'https://ca.example/dir': tls: failed",
  );
});

test("colours of the log are no part of it", () => {
  expect(reasonIn(`\u001b[31m${limited}\u001b[0m`)).toBe(
    "cannot get ACME client get directory at 'https://ca.example/dir': tls: failed",
  );
});

test("a log without such a line has no reason", () => {
  expect(reasonIn("INF Configuration loaded")).toBeUndefined();
});
