import { expect, test, vi } from "vitest";
import { traefikArguments } from "../../../src/commands/traefik.ts";
import type { Config, Role } from "../../../src/config/config.ts";
import { Secrets } from "../../../src/config/env/secrets.ts";
import { InterruptedError } from "../../../src/errors.ts";
import { renewCertificates, secureHosts } from "../../../src/flow/certificates/secure-hosts.ts";
import { selfSigned } from "../../support/certificates.ts";
import { config, proxy, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { tlsPort } from "../../support/tls-server.ts";
import { aHost, type World } from "../../support/world.ts";

vi.mock("../../../src/flow/certificates/marker.ts", async (original) => ({
  ...(await original()),
  requestMarker: async () => {},
}));

const HOST = "192.0.2.1";
const PAIR = selfSigned(["a.example.com"]);
const section = proxy({ hosts: ["a.example.com"], ssl: "acme" });
const web = role({ proxy: section });
const app = config({ roles: [web] });
const withTls = aHost(HOST).behindTraefik({ args: traefikArguments(app) });

/** A run whose host serves a certificate already. */
function runWith(world: World, given: Config = app): FakeRun {
  const run = fakeRun(given, {
    secrets: new Secrets(
      new Map([
        ["PEM", PAIR.certificate],
        ["KEY", PAIR.privateKey],
      ]),
    ),
  });
  world.fake(run).ports.set(
    443,
    tlsPort(() => PAIR),
  );
  return run;
}

async function commandsFor(
  world: World,
  roles: readonly Role[] = [web],
  startedTraefik = false,
): Promise<{ readonly commands: readonly string[]; readonly run: FakeRun }> {
  const run = runWith(world, config({ ...app, roles }));
  await secureHosts(run, [{ host: HOST, facts: world.facts(), roles, startedTraefik }]);
  return { commands: run.hosts.get(HOST)!.commands, run };
}

const WRITE = "write_live_file /root/.mrsk/traefik app-web@tls [REDACTED] private";
const REMOVE = "remove_live_file /root/.mrsk/traefik app-web@tls";

test("a role with ssl gets its certificate file", async () => {
  const { commands, run } = await commandsFor(withTls);
  expect(commands).toEqual([WRITE]);
  expect(run.events).toEqual([]);
});

test("a role gets no certificate file on hosts where it does not run", async () => {
  const run = runWith(withTls);
  await secureHosts(run, [{ host: HOST, facts: withTls.facts(), roles: [], startedTraefik: false }]);
  expect(run.hosts.get(HOST)!.commands).toEqual([]);
});

const had = withTls.withLiveFile("app-web@tls", "");

test.each([
  ["has ssl: false", role({ proxy: proxy({ hosts: ["a.example.com"] }) })],
  ["has no section proxy", role()],
  ["has left Traefik", role({ traefik: false, proxy: section })],
])("a role that %s loses its certificate file", async (_, changed) => {
  expect((await commandsFor(had, [changed])).commands).toEqual([REMOVE]);
  expect((await commandsFor(withTls, [changed])).commands).toEqual([]);
});

test("a directory that the login user may not write keeps the certificate file", async () => {
  expect((await commandsFor(had.with({ liveDirectoryWritable: false }), [role()])).commands).toEqual([]);
});

const REBOOT =
  "Traefik has no entry point for TLS, so proxy/ssl has no effect: `mrsk traefik reboot` adds it, and loses no request";

test.each([
  ["an earlier mrsk", aHost(HOST).behindTraefik()],
  ["MRSK, without live files", aHost(HOST).behindTraefikOfMrsk()],
  ["another user, whose directory is closed", withTls.with({ liveDirectoryWritable: false })],
  ["nobody", aHost(HOST)],
])("a Traefik of %s is a warning, and no file is written", async (_, world) => {
  const { commands, run } = await commandsFor(world);
  expect(commands).toEqual([]);
  expect(run.events).toEqual([{ kind: "warning", host: HOST, text: REBOOT }]);
});

test("a Traefik that this run has started serves TLS", async () => {
  expect((await commandsFor(aHost(HOST), [web], true)).commands).toEqual([WRITE]);
});

test("a configuration whose Traefik cannot serve TLS is a warning with its keys", async () => {
  const old = config({ roles: [web], traefik: { ...app.traefik, image: "traefik:v2.11" } });
  const run = runWith(aHost(HOST), old);
  await secureHosts(run, [{ host: HOST, facts: aHost(HOST).facts(), roles: [web], startedTraefik: true }]);
  expect(run.hosts.get(HOST)!.commands).toEqual([]);
  expect(run.events).toEqual([
    {
      kind: "warning",
      host: HOST,
      text: "proxy/ssl has no effect: it needs Traefik 3 without a file provider of your own (traefik.image, traefik.args)",
    },
  ]);
});

test("an interrupted run requests nothing more", async () => {
  const run = runWith(withTls);
  run.abort();
  const hosts = [{ host: HOST, facts: withTls.facts(), roles: [web], startedTraefik: false }];
  await expect(secureHosts(run, hosts)).rejects.toThrow(InterruptedError);
  expect(run.hosts.get(HOST)!.commands).toEqual([]);
});

const own = (hosts: readonly string[]) =>
  config({ roles: [role({ proxy: proxy({ hosts, ssl: { certificate: "PEM", privateKey: "KEY" } }) })] });

test("ssl renew writes the user's certificate while it holds the lock", async () => {
  const run = runWith(withTls, own(["a.example.com"]));
  await renewCertificates(run);
  expect(run.hosts.get(HOST)!.steps.join(" | ")).toMatch(
    /Acquire the lock.*Write the certificate file.*Release the lock/,
  );
  expect(run.hosts.get(HOST)!.secrets.get("the certificate file")).toContain("BEGIN PRIVATE KEY");
});

test("ssl renew changes nothing if a certificate is wrong", async () => {
  const run = runWith(withTls, own(["b.example.com"]));
  await expect(renewCertificates(run)).rejects.toMatchObject({
    problems: [
      "config/deploy.yml: PEM and KEY (proxy/ssl of role web): b.example.com: the certificate is for a.example.com",
    ],
  });
  expect(run.hosts.get(HOST)!.steps).toEqual([]);
});
