import { expect, test } from "vitest";
import { printCertificates, warnAboutCertificates } from "../../../src/flow/certificates/status.ts";
import { selfSigned } from "../../support/certificates.ts";
import { config, proxy, role } from "../../support/config.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { tlsPort } from "../../support/tls-server.ts";

const NONE = selfSigned(["default"], { subject: "/CN=TRAEFIK DEFAULT CERT" });
/** Ends at 2027-01-01. */
const ISSUED = selfSigned(["a.example.com"], { subject: "/O=Example Trust/CN=E7" });
const [A, B] = ["192.0.2.1", "192.0.2.2"] as const;
const web = role({ hosts: [A, B], proxy: proxy({ hosts: ["a.example.com", "b.example.com"], ssl: "acme" }) });
const others = [
  role({ name: "plain", hosts: [A], proxy: proxy({ hosts: ["c.example.com"] }) }),
  role({ name: "jobs", hosts: [A], traefik: false, proxy: proxy({ hosts: ["d.example.com"], ssl: "acme" }) }),
  role({ name: "old", hosts: [A] }),
];

/** Both hosts serve the certificate for a.example.com, and none for b.example.com. */
function runAt(date: string, roles = [web, ...others]): FakeRun {
  const clock = { now: () => new Date(date), sleep: async () => {} };
  const run = fakeRun(config({ roles }), { clock });
  for (const name of [A, B]) {
    const pair = tlsPort((served) => (served === "a.example.com" ? ISSUED : NONE));
    (run.host(name) as FakeHost).ports.set(443, pair);
  }
  return run;
}

test("ssl status prints a line for each name of a role with ssl, on each host", async () => {
  const run = runAt("2026-06-01T12:00:00Z");
  await printCertificates(run);
  expect(run.printed).toEqual([
    "192.0.2.1  web  a.example.com  213 days left, by Example Trust E7\n",
    "192.0.2.1  web  b.example.com  Traefik serves its own default certificate\n",
    "192.0.2.2  web  a.example.com  213 days left, by Example Trust E7\n",
    "192.0.2.2  web  b.example.com  Traefik serves its own default certificate\n",
  ]);
});

test("ssl status without a role with ssl", async () => {
  const run = runAt("2026-06-01T12:00:00Z", others);
  await printCertificates(run);
  expect(run.printed).toEqual(["No role has proxy/ssl\n"]);
});

const issued = role({ proxy: proxy({ hosts: ["a.example.com"], ssl: "acme" }) });
const own = role({ proxy: proxy({ hosts: ["a.example.com"], ssl: { certificate: "PEM", privateKey: "KEY" } }) });

test.each([
  ["2026-12-11T00:00:00Z", issued, []],
  ["2026-12-11T00:00:00Z", own, []],
  [
    "2026-12-11T00:00:01Z",
    issued,
    ["a.example.com: 20 days left, by Example Trust E7. Traefik has not renewed it: `mrsk traefik logs` shows why"],
  ],
  [
    "2026-12-11T00:00:01Z",
    own,
    ["a.example.com: 20 days left, by Example Trust E7. `mrsk ssl renew` serves the one that is in your secrets"],
  ],
  [
    "2027-01-01T00:00:00Z",
    issued,
    ["a.example.com: the certificate has expired on 2027-01-01. `mrsk ssl renew` requests a new one"],
  ],
  [
    "2027-01-01T00:00:00Z",
    own,
    [
      "a.example.com: the certificate has expired on 2027-01-01. `mrsk ssl renew` serves the one that is in your secrets",
    ],
  ],
])("a certificate with less than 21 days left is a warning: %s", async (date, one, texts) => {
  const run = runAt(date, [one]);
  await warnAboutCertificates(run);
  expect(run.events).toEqual(texts.map((text) => ({ kind: "warning", host: A, text })));
});
