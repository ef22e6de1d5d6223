import { readFileSync } from "node:fs";
import { lookup } from "node:dns/promises";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { Secrets } from "../../src/config/env/secrets.ts";
import { removeApp } from "../../src/flow/app/removal.ts";
import { bootVersion } from "../../src/flow/rollout/boot.ts";
import { deploy } from "../../src/flow/rollout/deploy.ts";
import { details } from "../../src/flow/details.ts";
import { requestMarker } from "../../src/flow/certificates/marker.ts";
import { renewCertificates } from "../../src/flow/certificates/secure-hosts.ts";
import { printCertificates } from "../../src/flow/certificates/status.ts";
import { type Pair, selfSigned } from "../support/certificates.ts";
import type { FakeHost } from "../support/fake-host.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { tlsPort } from "../support/tls-server.ts";
import { aHost, container } from "../support/world.ts";
import { configOf, withRequired } from "../config/from-yaml.ts";

vi.mock("node:dns/promises");
vi.mock("../../src/flow/certificates/marker.ts", { spy: true });

const guide = readFileSync(new URL("../../src/docs/https.md", import.meta.url), "utf8");
const NAME = "app.example.com";
const OWN = "ssl: {certificate_pem: TLS_CERTIFICATE, private_key_pem: TLS_KEY}";
const SERVES_TLS = [
  "--providers.file.directory=/etc/traefik/mrsk",
  "--entrypoints.https.address=:443",
  "--certificatesresolvers.mrsk.acme.storage=/etc/traefik/acme/acme.json",
];

let valid: Pair;
let ending: Pair;
let ofTraefik: Pair;
beforeAll(() => {
  valid = selfSigned([NAME], { subject: "/O=Let's Encrypt/CN=E7", from: "20260101", to: "20260401" });
  ending = selfSigned([NAME], { from: "20251101", to: "20260123" });
  ofTraefik = selfSigned([NAME], { subject: "/CN=TRAEFIK DEFAULT CERT" });
});
afterEach(() => void vi.mocked(requestMarker).mockReset());

interface Situation {
  /** The certificate that is served once the certificate file has been written that often. */
  readonly serves: readonly Pair[];
  /** More keys of `proxy`. */
  readonly ssl?: string;
  /** More lines of deploy.yml. */
  readonly more?: string;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Traefik's arguments; undefined: the host has no Traefik. */
  readonly args?: readonly string[] | undefined;
  /** The names of the files among the live files. */
  readonly liveFiles?: readonly string[];
}

/** A run of the guide's example on 2 January 2026; each wait lets its time pass. */
async function situation({
  serves,
  ssl = "ssl: true",
  more = "",
  secrets = {},
  liveFiles = [],
  ...traefik
}: Situation) {
  const { args } = { args: SERVES_TLS, ...traefik };
  const yaml = withRequired(`proxy: {host: ${NAME}, ${ssl}}\n${more}`).replace("10.0.0.1", "192.0.2.10");
  let now = Date.parse("2026-01-02T03:04:05Z");
  const run = fakeRun(await configOf(yaml), {
    secrets: new Secrets(new Map(Object.entries(secrets))),
    clock: { now: () => new Date(now), sleep: async (seconds) => void (now += seconds * 1000) },
  });
  const server = aHost("192.0.2.10").with({ liveFiles: new Map(liveFiles.map((name) => [name, ""])) });
  const host = (args ? server.behindTraefik({ args }).runs(container("web", 1)) : server).fake(run);
  const files: string[] = [];
  host.when(/^Write the certificate file$/, () => {
    files.push(host.texts.at(-1)!.includes("remove_live_file") ? "" : host.secrets.get("the certificate file")!);
  });
  host.ports.set(443, () => tlsPort(() => serves[Math.min(files.length, serves.length - 1)]!)());
  return { run, host, files };
}

const warnings = ({ events }: FakeRun) => events.flatMap((event) => (event.kind === "warning" ? [event.text] : []));
const notes = ({ events }: FakeRun) => events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
const steps = ({ steps: all }: FakeHost) => all.filter((step) => step === "Write the certificate file");

test("the names lead to the server: a certificate is requested, and HTTP is redirected once it is served", async () => {
  vi.mocked(requestMarker).mockResolvedValue(undefined);
  const { run, files } = await situation({ serves: [ofTraefik, ofTraefik, valid] });
  await renewCertificates(run);
  expect(run.events).toContainEqual({ kind: "title", text: "Request a certificate for app.example.com..." });
  expect(guide).toContain("\nRequest a certificate for app.example.com...\n");
  expect(notes(run)).toEqual(["serves a certificate for app.example.com"]);
  expect(guide).toContain(": serves a certificate for app.example.com\n");
  expect(files.map((text) => [/certResolver/.test(text), /redirectScheme/.test(text)])).toEqual([
    [false, false],
    [true, false],
    [false, true],
  ]);
});

test("ssl_redirect: false leaves HTTP as it is", async () => {
  const open = await situation({ serves: [valid], ssl: "ssl: true, ssl_redirect: false" });
  await renewCertificates(open.run);
  const redirected = await situation({ serves: [valid] });
  await renewCertificates(redirected.run);
  expect([open, redirected].map(({ files }) => files.map((text) => /redirectScheme/.test(text)))).toEqual([
    [false],
    [true],
  ]);
});

test("wrong DNS: nothing is requested, and the message names the answer", async () => {
  vi.mocked(lookup).mockRejectedValue(Object.assign(new Error("not found"), { code: "ENOTFOUND" }));
  const { run, files } = await situation({ serves: [ofTraefik] });
  await renewCertificates(run);
  expect(warnings(run)).toEqual([
    "no certificate was requested: http://app.example.com does not reach 192.0.2.10. From this machine DNS answers no address for app.example.com; nothing can be requested. When its address is right, run `mrsk ssl renew`.",
  ]);
  expect(files.some((text) => text.includes("certResolver"))).toBe(false);
  expect(files.at(-1)).toBe("");
});

test("the authority refuses: its reason is shown, the request ends, and HTTP is not redirected", async () => {
  vi.mocked(requestMarker).mockResolvedValue(undefined);
  const { run, host, files } = await situation({ serves: [ofTraefik] });
  const log = 'ERR Unable to obtain ACME certificate for domains error="acme: error: 403 :: no CAA" ACME CA=x';
  host.replies(/^Traefik's log$/, log);
  await renewCertificates(run);
  expect(warnings(run)).toEqual(["no certificate for app.example.com: 403 :: no CAA"]);
  expect(files.at(-1)).toBe("");
});

test("a Traefik without an entry point for TLS: `mrsk traefik reboot` is named, and nothing is written", async () => {
  const { run, host } = await situation({
    serves: [ofTraefik],
    args: ["--providers.file.directory=/etc/traefik/mrsk"],
  });
  await renewCertificates(run);
  expect(warnings(run)).toEqual([
    "Traefik has no entry point for TLS, so proxy/ssl has no effect: `mrsk traefik reboot` adds it, and loses no request",
  ]);
  expect(steps(host)).toEqual([]);
});

test.each(["traefik: {image: traefik:v2.11}", "traefik: {args: {providers.file.filename: /own.yml}}"])(
  "ssl has no effect with %s, with a warning",
  async (more) => {
    const { run, host } = await situation({ serves: [ofTraefik], args: ["--providers.docker"], more });
    await renewCertificates(run);
    expect(warnings(run)).toEqual([
      "proxy/ssl has no effect: it needs Traefik 3 without a file provider of your own (traefik.image, traefik.args)",
    ]);
    expect(steps(host)).toEqual([]);
  },
);

test("ssl status prints server, role, name, days and authority", async () => {
  const { run } = await situation({ serves: [valid] });
  await printCertificates(run);
  expect(run.printed).toEqual(["192.0.2.10  web  app.example.com  88 days left, by Let's Encrypt E7\n"]);
  expect(guide).toContain("\n192.0.2.10  web  app.example.com  89 days left, by Let's Encrypt E7\n");
});

test("details warns about a certificate with less than 21 days left, and about no other", async () => {
  const late = await situation({ serves: [ending] });
  await details(late.run);
  const early = await situation({ serves: [valid] });
  await details(early.run);
  expect(warnings(late.run)).toEqual([
    expect.stringMatching(/^app\.example\.com: 20 days left, by lab\. `mrsk ssl renew`/),
  ]);
  expect(warnings(early.run)).toEqual([]);
});

test("an own certificate is in a private file, which no step shows", async () => {
  const secrets = { TLS_CERTIFICATE: valid.certificate, TLS_KEY: valid.privateKey };
  const { run, host, files } = await situation({ serves: [valid], ssl: OWN, secrets });
  await renewCertificates(run);
  expect(host.texts).toContain("write_live_file /root/.mrsk/traefik app-web@tls <the certificate file> private");
  expect(files).toHaveLength(1);
  const [firstLine] = valid.privateKey.split("\n").slice(1);
  expect(files[0]).toContain(firstLine);
  expect(host.transcript.join("\n")).not.toContain(firstLine);
  expect(warnings(run)).toEqual([]);
});

test("an own pair that does not fit ends a deploy before it changes anything", async () => {
  const secrets = { TLS_CERTIFICATE: valid.certificate, TLS_KEY: ending.privateKey };
  const { run, host } = await situation({ serves: [valid], ssl: OWN, secrets });
  await expect(deploy(run, { skipPush: true, revert: true })).rejects.toThrow(
    "TLS_CERTIFICATE and TLS_KEY (proxy/ssl of role web): the private key does not belong to the certificate",
  );
  expect(host.steps).toEqual([]);
});

test.each([
  ["ssl: false", "ssl renew", renewCertificates],
  ["ssl: true", "app remove", removeApp],
])("with %s, mrsk %s removes the certificate file of a role", async (ssl, _, command) => {
  const { run, host } = await situation({ serves: [valid], ssl, liveFiles: ["app-web", "app-web@tls"] });
  await command(run);
  expect(host.texts).toContain("remove_live_file /root/.mrsk/traefik app-web@tls");
  const without = await situation({ serves: [valid], ssl, liveFiles: ["app-web"] });
  await command(without.run);
  expect(without.host.texts).not.toContain("remove_live_file /root/.mrsk/traefik app-web@tls");
});

test("a new Traefik publishes port 443, and stores certificates next to the live files", async () => {
  const { run, host } = await situation({ serves: [valid], args: undefined });
  await bootVersion(run, "2", { reuse: false, prune: false });
  const started = host.texts.find((text) => text.includes("--name traefik"))!;
  expect(started).toContain("print_tls_port 443");
  expect(started).toContain("--volume /root/.mrsk/acme:/etc/traefik/acme ");
  expect(started).toContain("--entrypoints.https.address=:443");
});
