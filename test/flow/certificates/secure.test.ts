import { beforeEach, expect, test, vi } from "vitest";
import { parse } from "yaml";
import type { Clock } from "../../../src/clock.ts";
import type { Config } from "../../../src/config/config.ts";
import { InterruptedError } from "../../../src/errors.ts";
import type { Unreached } from "../../../src/flow/certificates/marker.ts";
import { secureRole } from "../../../src/flow/certificates/secure.ts";
import { selfSigned } from "../../support/certificates.ts";
import { config, proxy, role } from "../../support/config.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { tlsPort } from "../../support/tls-server.ts";

const requestMarker = vi.hoisted(() =>
  vi.fn<(name: string, marker: string, port: number) => Promise<Unreached | undefined>>(),
);
vi.mock("../../../src/flow/certificates/marker.ts", async (original) => ({ ...(await original()), requestMarker }));
beforeEach(() => void requestMarker.mockReset().mockResolvedValue(undefined));

const NONE = selfSigned(["default"], { subject: "/CN=TRAEFIK DEFAULT CERT" });
const ISSUED = selfSigned(["a.example.com", "b.example.com"]);
const A = "192.0.2.1";
const B = "192.0.2.2";

/** A clock that only sleeping moves. @param times faster than the sleep, so that few handshakes fill a long wait */
function movedClock(times: number): Clock & { readonly slept: () => number } {
  let seconds = 0;
  return {
    now: () => new Date(Date.parse("2026-06-01T12:00:00Z") + seconds * 1000),
    sleep: async (more) => void (seconds += more * times),
    slept: () => seconds,
  };
}

/** A host with Traefik, and what its certificate file contained, in the order of the writes. */
interface Traefik {
  readonly host: FakeHost;
  /** The names of the routers without `app-web-`, `tls` for own certificates, or `removed`. */
  readonly files: string[];
  readonly texts: string[];
  pair: typeof NONE;
}

interface Options {
  /** Whether the authority issues a certificate. */
  readonly issues?: boolean;
  readonly pair?: typeof NONE;
  /** Called at each write. */
  readonly onWrite?: (file: string) => void;
}

function traefikOn(run: FakeRun, name: string, { issues = true, pair = NONE, onWrite }: Options = {}): Traefik {
  const host = run.host(name) as FakeHost;
  const traefik: Traefik = { host, files: [], texts: [], pair };
  host.ports.set(
    443,
    tlsPort(() => traefik.pair),
  );
  host.when(/^Write the certificate file$/, () => {
    const removed = host.commands.at(-1) === "remove_live_file /live app-web@tls";
    const text = removed ? "" : host.secrets.get("the certificate file")!;
    const { http, tls } = (parse(text) ?? {}) as {
      http?: { routers: Record<string, unknown> };
      tls?: { certificates: [{ certFile: string; keyFile: string }] };
    };
    const routers = Object.keys(http?.routers ?? {}).map((router) => router.replace("app-web-", ""));
    const file = removed ? "removed" : [...routers, ...(tls ? ["tls"] : [])].join(" ");
    traefik.files.push(file);
    traefik.texts.push(text);
    if (issues && routers.includes("request")) traefik.pair = ISSUED;
    onWrite?.(file);
  });
  return traefik;
}

const names = ["a.example.com", "b.example.com"];
const web = role({ hosts: [A, B], proxy: proxy({ hosts: names, ssl: "acme" }) });

function runOf({ given = config({ roles: [web] }), times = 1 }: { given?: Config; times?: number } = {}): FakeRun & {
  readonly clock: ReturnType<typeof movedClock>;
} {
  const clock = movedClock(times);
  return { ...fakeRun(given, { clock }), clock };
}

const secure = (run: FakeRun, hosts: readonly Traefik[], own?: typeof ISSUED) =>
  secureRole(
    run,
    run.config.roles[0]!,
    hosts.map(({ host }) => ({ host, liveDirectory: "/live" })),
    own,
  );
const warnings = (run: FakeRun) => run.events.filter(({ kind }) => kind === "warning");

test("a host that serves a certificate keeps it: nothing is requested", async () => {
  const run = runOf();
  const a = traefikOn(run, A, { pair: ISSUED });
  await secure(run, [a]);
  expect(a.files).toEqual(["acme acme-hop redirect"]);
  expect(requestMarker).not.toHaveBeenCalled();
  expect(run.events).toEqual([]);
});

test("a missing certificate is requested once the marker is reached under every name, then redirects begin", async () => {
  const run = runOf();
  const a = traefikOn(run, A);
  await secure(run, [a]);
  expect(a.files).toEqual(["marker acme acme-hop", "acme acme-hop request", "acme acme-hop redirect"]);
  expect(requestMarker.mock.calls).toEqual([
    ["a.example.com", "0000000000000000", 80],
    ["b.example.com", "0000000000000000", 80],
  ]);
  expect(a.texts[0]).toContain('X-Mrsk-Marker: "0000000000000000"');
  expect(a.texts[1]).toContain("main: a.example.com");
  expect(run.events).toEqual([
    { kind: "title", text: "Request a certificate for a.example.com, b.example.com..." },
    { kind: "note", host: A, text: "serves a certificate for a.example.com, b.example.com" },
  ]);
});

test("the certificate file reaches the host as a secret", async () => {
  const run = runOf();
  const a = traefikOn(run, A, { pair: ISSUED });
  await secure(run, [a]);
  expect(a.host.commands).toEqual(["write_live_file /live app-web@tls [REDACTED] private"]);
});

test("a certificate that has expired is requested again", async () => {
  const run = runOf();
  const expired = selfSigned(names, { from: "20250101", to: "20260101" });
  const a = traefikOn(run, A, { pair: expired });
  await secure(run, [a]);
  expect(a.files).toContain("acme acme-hop request");
});

test("a certificate that lacks one of the names is requested again", async () => {
  const run = runOf();
  const a = traefikOn(run, A, { pair: selfSigned(["a.example.com"]) });
  await secure(run, [a]);
  expect(a.files).toContain("acme acme-hop request");
});

test("Traefik has a moment to load the marker", async () => {
  const run = runOf();
  const a = traefikOn(run, A);
  requestMarker.mockResolvedValueOnce({ name: "a.example.com", dns: A, response: "another server answers" });
  await secure(run, [a]);
  expect(a.files.at(-1)).toBe("acme acme-hop redirect");
  expect(run.clock.slept()).toBe(0.5);
});

test("a name that leads elsewhere is a warning with the answer of DNS, and nothing is requested", async () => {
  const run = runOf();
  const a = traefikOn(run, A);
  requestMarker.mockImplementation(async (name) =>
    name === "b.example.com" ? { name, dns: "198.51.100.7", response: "connect ECONNREFUSED" } : undefined,
  );
  await secure(run, [a]);
  expect(a.files).toEqual(["marker acme acme-hop", "removed"]);
  expect(warnings(run)).toEqual([
    {
      kind: "warning",
      text: "no certificate was requested: http://b.example.com does not reach 192.0.2.1. From this machine DNS answers 198.51.100.7 for b.example.com; connect ECONNREFUSED. When its address is right, run `mrsk ssl renew`.",
    },
  ]);
  expect(run.clock.slept()).toBe(5);
});

test("a refusal of the authority is a warning with its reason, and the request ends", async () => {
  const run = runOf({ times: 20 });
  const a = traefikOn(run, A, { issues: false });
  a.host.replies(
    /^Traefik's log$/,
    String.raw`ERR Unable to obtain ACME certificate for domains error="x: acme: error: 429 :: rateLimited :: too many" ACME CA=x`,
  );
  await secure(run, [a]);
  expect(a.files).toEqual(["marker acme acme-hop", "acme acme-hop request", "removed"]);
  expect(warnings(run)).toEqual([
    {
      kind: "warning",
      host: A,
      text: "no certificate for a.example.com, b.example.com: 429 :: rateLimited :: too many",
    },
  ]);
  expect(run.clock.slept()).toBe(60);
});

test("without a reason in the log, the warning says what is served", async () => {
  const run = runOf({ times: 20 });
  await secure(run, [traefikOn(run, A, { issues: false })]);
  expect(warnings(run)).toEqual([
    {
      kind: "warning",
      host: A,
      text: "no certificate for a.example.com, b.example.com: Traefik serves its own default certificate",
    },
  ]);
});

test.each([
  ["the certificate", "acme acme-hop request", ["marker acme acme-hop", "acme acme-hop request", "removed"]],
  ["the marker", "marker acme acme-hop", ["marker acme acme-hop", "removed"]],
])("an interrupted wait for %s ends the request, and warns of nothing", async (_, at, files) => {
  const run = runOf();
  const a = traefikOn(run, A, { issues: false, onWrite: (file) => file === at && run.abort() });
  requestMarker.mockImplementation(async (name) =>
    run.signal.aborted ? { name, dns: "", response: "nothing" } : undefined,
  );
  await expect(secure(run, [a])).rejects.toThrow(InterruptedError);
  expect(a.files).toEqual(files);
  expect(warnings(run)).toEqual([]);
  expect(run.clock.slept()).toBe(0);
});

test("hosts with and without a certificate: only the others request one, and challenges reach every peer", async () => {
  const run = runOf();
  const a = traefikOn(run, A, { pair: ISSUED });
  const b = traefikOn(run, B);
  await secure(run, [a, b]);
  expect(a.files).toEqual(["marker acme acme-hop redirect", "acme acme-hop redirect", "acme acme-hop redirect"]);
  expect(b.files).toEqual(["marker acme acme-hop", "acme acme-hop request", "acme acme-hop redirect"]);
  expect(a.texts.at(-1)).toContain("- url: http://192.0.2.2\n");
  expect(a.texts.at(-1)).not.toContain("- url: http://192.0.2.1\n");
  expect(b.texts.at(-1)).toContain("- url: http://192.0.2.1\n");
});

test.each([
  ["the names lead elsewhere", true],
  ["the authority refuses", false],
])("a host keeps its certificate when %s for another host", async (_, elsewhere) => {
  const run = runOf({ times: 20 });
  const a = traefikOn(run, A, { pair: ISSUED });
  const b = traefikOn(run, B, { issues: false });
  if (elsewhere) requestMarker.mockImplementation(async (name) => ({ name, dns: A, response: "nothing" }));
  await secure(run, [a, b]);
  expect(a.files.at(-1)).toBe("acme acme-hop redirect");
  expect(b.files.at(-1)).toBe("removed");
});

test("a certificate of the user's is served with its key", async () => {
  const run = runOf();
  const a = traefikOn(run, A, { pair: ISSUED });
  await secure(run, [a], ISSUED);
  expect(a.files).toEqual(["redirect tls"]);
  expect((parse(a.texts[0]!) as { tls: unknown }).tls).toEqual({
    certificates: [{ certFile: ISSUED.certificate, keyFile: ISSUED.privateKey }],
  });
  expect(run.events).toEqual([]);
  expect(a.host.transcript.join("\n")).not.toContain("PRIVATE KEY");
});

test("a certificate of the user's that Traefik does not serve is a warning", async () => {
  const run = runOf();
  const a = traefikOn(run, A);
  await secure(run, [a], ISSUED);
  expect(a.files).toEqual(["redirect tls"]);
  expect(run.events).toEqual([
    {
      kind: "warning",
      host: A,
      text: "the certificate of web is not served: Traefik serves its own default certificate",
    },
  ]);
  expect(run.clock.slept()).toBe(5);
});

test("ssl_redirect: false redirects nothing", async () => {
  const plain = role({ proxy: proxy({ hosts: names, ssl: "acme", sslRedirect: false }) });
  const run = runOf({ given: config({ roles: [plain] }) });
  const a = traefikOn(run, A, { pair: ISSUED });
  await secure(run, [a]);
  await secure(run, [a], ISSUED);
  expect(a.files).toEqual(["acme", "tls"]);
});
