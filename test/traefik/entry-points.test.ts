import { expect, test } from "vitest";
import { traefikArguments } from "../../src/commands/traefik.ts";
import type { Options } from "../../src/config/config.ts";
import { entryPointsOf, isTlsFlag, namedEntryPoints, servesTls } from "../../src/traefik/entry-points.ts";
import { config } from "../support/config.ts";

const withArgs = (args: Options, image = "traefik:v3.7.15") =>
  config({ traefik: { ...config().traefik, args, image } });
const named: Options = new Map([
  ["entryPoints.web.address", ":80"],
  ["entrypoints.websecure.address", "192.0.2.7:443/tcp"],
  ["entrypoints.dns.address", ":53/udp"],
  ["entrypoints.traefik.address", ":9000"],
  ["entrypoints.web.asdefault", "true"],
]);

test("the entry points are mrsk's, unless the user names some", () => {
  expect(entryPointsOf(config())).toEqual({ plain: ["http"], tls: ["https"] });
  expect(entryPointsOf(withArgs(named))).toEqual({ plain: ["web"], tls: ["websecure"] });
  expect(entryPointsOf(withArgs(new Map([["entrypoints.web.address", ":80"]])))).toEqual({
    plain: ["web"],
    tls: ["https"],
  });
});

test("entry points for UDP, and Traefik's own, have no requests of the app", () => {
  expect(namedEntryPoints(named)).toEqual([
    { name: "web", port: 80 },
    { name: "websecure", port: 443 },
  ]);
});

test.each([
  ["without settings", config(), true],
  ["with the user's entry points", withArgs(named), true],
  ["of version 2", withArgs(new Map(), "traefik:v2.11"), false],
  ["with a file provider of the user's", withArgs(new Map([["providers.file.filename", "/x"]])), false],
])("mrsk's Traefik %s serves TLS: %#", (_, given, serves) => {
  expect(servesTls(traefikArguments(given))).toBe(serves);
});

test("a Traefik needs both the entry point and mrsk's resolver to serve TLS", () => {
  const entry = "--entrypoints.websecure.address=:443";
  const resolver = "--certificatesresolvers.mrsk.acme.storage=/etc/traefik/acme/acme.json";
  expect(servesTls([entry, resolver])).toBe(true);
  expect(servesTls([entry])).toBe(false);
  expect(servesTls([resolver])).toBe(false);
  expect(servesTls(["--entrypoints.websecure.address=:443/udp", resolver])).toBe(false);
  expect(servesTls([entry, "--certificatesresolvers.letsencrypt.acme.storage=/a.json"])).toBe(false);
});

test("the arguments for TLS alone are those of mrsk's entry point and resolver", () => {
  expect(traefikArguments(config()).filter(isTlsFlag)).toEqual([
    "--entrypoints.https.address=:443",
    "--entrypoints.https.transport.keepalivemaxtime=15s",
    "--entrypoints.https.transport.respondingtimeouts.readtimeout=0",
    "--certificatesresolvers.mrsk.acme.storage=/etc/traefik/acme/acme.json",
    "--certificatesresolvers.mrsk.acme.httpchallenge.entrypoint=mrsk",
    "--certificatesresolvers.mrsk.acme.keytype=EC256",
  ]);
});

test("the user's arguments of the resolver win", () => {
  const given = new Map([["certificatesResolvers.mrsk.acme.keyType", "RSA2048"]]);
  expect(traefikArguments(withArgs(given)).filter((flag) => /keytype/i.test(flag))).toEqual([
    "--certificatesResolvers.mrsk.acme.keyType=RSA2048",
  ]);
});
