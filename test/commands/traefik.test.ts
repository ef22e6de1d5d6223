import { raw } from "../../src/script/command.ts";
import { expect, test } from "vitest";
import { version3Problems } from "../../src/traefik/version3-problems.ts";
import {
  createSecondTraefik,
  createTraefik,
  findTlsPort,
  hostPorts,
  keepAliveSecondsOf,
  offersLiveFiles,
  removeTraefikContainer,
  removeTraefikImage,
  restartPolicy,
  runTraefik,
  startTraefikContainer,
  stopTraefikContainer,
  traefikArguments,
  traefikStatus,
} from "../../src/commands/traefik.ts";
import type { Traefik } from "../../src/config/config.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { config, line, role, traefikHost } from "../support/config.ts";

function traefik(overrides: Partial<Traefik> = {}) {
  return config({ traefik: { ...config().traefik, ...overrides } });
}

const args = (...pairs: [string, string | true | string[]][]) => traefikArguments(traefik({ args: new Map(pairs) }));

test("the complete line without settings", () => {
  expect(line(runTraefik(config(), traefikHost("/home/d/.mrsk/traefik"), new Map()))).toBe(
    "docker run --name traefik --detach --restart unless-stopped --publish 80:80 $tls_port --publish 127.0.0.1:18082:8082 " +
      "--volume /var/run/docker.sock:/var/run/docker.sock --volume /home/d/.mrsk/traefik:/etc/traefik/mrsk:ro " +
      "--volume /home/d/.mrsk/acme:/etc/traefik/acme " +
      "--log-opt max-size=10m traefik:v3.7.15 --providers.docker --log.level=INFO " +
      "--providers.file.directory=/etc/traefik/mrsk --providers.providersThrottleDuration=100ms " +
      "--entrypoints.http.address=:80 --entrypoints.https.address=:443 --entrypoints.http.asdefault=true " +
      "--entrypoints.http.transport.keepalivemaxtime=15s --entrypoints.http.transport.respondingtimeouts.readtimeout=0 " +
      "--entrypoints.https.transport.keepalivemaxtime=15s " +
      "--entrypoints.https.transport.respondingtimeouts.readtimeout=0 --entrypoints.mrsk.address=:8082 " +
      "--certificatesresolvers.mrsk.acme.storage=/etc/traefik/acme/acme.json " +
      "--certificatesresolvers.mrsk.acme.httpchallenge.entrypoint=mrsk --certificatesresolvers.mrsk.acme.keytype=EC256",
  );
});

test("a secret variable is no argument, and publish: false publishes no port", () => {
  const given = traefik({ hostPort: undefined, env: { clear: new Map([["TZ", "UTC"]]), secret: ["DNS"] } });
  const text = line(runTraefik(given, traefikHost("/d"), new Map([["DNS", new Secret("DNS", "x")]])));
  expect(text).toMatch(/^DNS=<DNS> docker run --name traefik --detach --restart unless-stopped --publish 127\.0\.0\.1/);
  expect(text).toContain(" -e DNS -e TZ=UTC ");
});

test("the user's entry points are the defaults, the probe entry point is not", () => {
  expect(
    args(
      ["entryPoints.web.address", ":80"],
      ["entrypoints.websecure.address", ":443"],
      ["entrypoints.dns.address", ":53/udp"],
      ["entrypoints.traefik.address", ":9000"],
      ["entrypoints.web.http.redirections.entrypoint.to", "websecure"],
    ),
  ).toEqual([
    "--providers.docker",
    "--log.level=INFO",
    "--providers.file.directory=/etc/traefik/mrsk",
    "--providers.providersThrottleDuration=100ms",
    "--entrypoints.web.asdefault=true",
    "--entrypoints.web.transport.keepalivemaxtime=15s",
    "--entrypoints.web.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.websecure.asdefault=true",
    "--entrypoints.websecure.transport.keepalivemaxtime=15s",
    "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.mrsk.address=:8082",
    "--certificatesresolvers.mrsk.acme.storage=/etc/traefik/acme/acme.json",
    "--certificatesresolvers.mrsk.acme.httpchallenge.entrypoint=mrsk",
    "--certificatesresolvers.mrsk.acme.keytype=EC256",
    "--entryPoints.web.address=:80",
    "--entrypoints.websecure.address=:443",
    "--entrypoints.dns.address=:53/udp",
    "--entrypoints.traefik.address=:9000",
    "--entrypoints.web.http.redirections.entrypoint.to=websecure",
  ]);
});

test("a default that the user has chosen remains the only one", () => {
  const given = args(
    ["entrypoints.web.address", ":80"],
    ["entrypoints.web.asDefault", "true"],
    ["entrypoints.internal.address", ":81"],
  );
  expect(given.filter((flag) => /asdefault/i.test(flag))).toEqual(["--entrypoints.web.asDefault=true"]);
});

test("a long upload is not ended, unless the user limits its time", () => {
  const limits = (...pairs: [string, string][]) => args(...pairs).filter((flag) => /readtimeout/i.test(flag));
  expect(limits()).toEqual([
    "--entrypoints.http.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.https.transport.respondingtimeouts.readtimeout=0",
  ]);
  expect(
    limits(
      ["entrypoints.web.address", ":80"],
      ["entrypoints.web.transport.respondingTimeouts.readTimeout", "30s"],
      ["entrypoints.internal.address", ":81"],
    ),
  ).toEqual([
    "--entrypoints.internal.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.https.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.web.transport.respondingTimeouts.readTimeout=30s",
  ]);
});

const trusting = (overrides: Partial<Traefik> = {}) =>
  traefikArguments(traefik({ forwardHeaders: true, ...overrides })).filter((flag) => /^--entrypoints/i.test(flag));

test("forwarded headers of clients are kept at the entry points for requests, unless the user decides for one", () => {
  expect(trusting()).toEqual([
    "--entrypoints.http.address=:80",
    "--entrypoints.https.address=:443",
    "--entrypoints.http.asdefault=true",
    "--entrypoints.http.transport.keepalivemaxtime=15s",
    "--entrypoints.http.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.http.forwardedheaders.insecure=true",
    "--entrypoints.https.transport.keepalivemaxtime=15s",
    "--entrypoints.https.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.https.forwardedheaders.insecure=true",
    "--entrypoints.mrsk.address=:8082",
  ]);
  const own = new Map([
    ["entrypoints.web.address", ":80"],
    ["entryPoints.websecure.address", ":443"],
    ["entryPoints.websecure.forwardedHeaders.trustedIPs", "10.0.0.0/8"],
  ]);
  expect(trusting({ args: own }).filter((flag) => /forwarded/i.test(flag))).toEqual([
    "--entrypoints.web.forwardedheaders.insecure=true",
    "--entryPoints.websecure.forwardedHeaders.trustedIPs=10.0.0.0/8",
  ]);
  expect(trusting({ image: "traefik:v2.11" })).toEqual([
    "--entrypoints.http.address=:80",
    "--entrypoints.http.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.http.forwardedheaders.insecure=true",
    "--entrypoints.mrsk.address=:8082",
  ]);
  expect(trusting({ args: new Map([["providers.file.filename", "/x"]]) })).toEqual([
    "--entrypoints.http.address=:80",
    "--entrypoints.http.asdefault=true",
    "--entrypoints.http.transport.keepalivemaxtime=15s",
    "--entrypoints.http.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.http.forwardedheaders.insecure=true",
  ]);
});

test("metrics have an entry point that is no default of routers", () => {
  const flags = traefikArguments(traefik({ metricsPort: 9090 }));
  expect(flags).toContain("--entrypoints.mrsk-metrics.address=:9090");
  expect(flags).toContain("--metrics.prometheus.entrypoint=mrsk-metrics");
  expect(flags.filter((flag) => /asdefault/.test(flag))).toEqual(["--entrypoints.http.asdefault=true"]);
});

test("the port is published at the addresses", () => {
  const given = traefik({ hostPort: 8080, bindIps: ["192.0.2.7", "2001:db8::1"] });
  expect(line(runTraefik(given, traefikHost("/d"), new Map()))).toContain(
    " --publish 192.0.2.7:8080:80 --publish '[2001:db8::1]:8080:80' $tls_port --publish 127.0.0.1:18082:8082 ",
  );
  expect(hostPorts(given)).toEqual([8080, 18082]);
});

test("Traefik 2 refuses a flag that it does not know", () => {
  const flags = traefikArguments(traefik({ image: "traefik:v2.11" }));
  expect(flags).toContain("--entrypoints.http.address=:80");
  expect(flags.join(" ")).not.toMatch(/asdefault|keepalivemaxtime/);
});

test("a user's keepAliveMaxTime wins, for each entry point", () => {
  const given = args(
    ["entrypoints.web.address", ":80"],
    ["entrypoints.web.transport.keepAliveMaxTime", "1m30s"],
    ["entrypoints.internal.address", ":81"],
  );
  const flags = given.filter((flag) => /keepalivemaxtime/i.test(flag));
  expect(flags).toEqual([
    "--entrypoints.internal.transport.keepalivemaxtime=15s",
    "--entrypoints.https.transport.keepalivemaxtime=15s",
    "--entrypoints.web.transport.keepAliveMaxTime=1m30s",
  ]);
  expect(keepAliveSecondsOf(flags)).toBe(90);
  expect(keepAliveSecondsOf(["--entrypoints.web.address=:80"])).toBeUndefined();
});

test("the second Traefik closes keep-alive connections after a second", () => {
  const second = createSecondTraefik(config(), traefikHost("/d"), new Map(), {
    name: "second",
    labels: new Map(),
    publish: raw("$flags"),
  });
  expect(line(second)).toContain("--entrypoints.http.transport.keepalivemaxtime=1s");
});

test("the user's log level and throttle replace the defaults", () => {
  expect(args(["log.level", "WARN"], ["providers.providersthrottleduration", "1s"], ["accesslog", true])).toEqual([
    "--providers.docker",
    "--providers.file.directory=/etc/traefik/mrsk",
    "--entrypoints.http.address=:80",
    "--entrypoints.https.address=:443",
    "--entrypoints.http.asdefault=true",
    "--entrypoints.http.transport.keepalivemaxtime=15s",
    "--entrypoints.http.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.https.transport.keepalivemaxtime=15s",
    "--entrypoints.https.transport.respondingtimeouts.readtimeout=0",
    "--entrypoints.mrsk.address=:8082",
    "--certificatesresolvers.mrsk.acme.storage=/etc/traefik/acme/acme.json",
    "--certificatesresolvers.mrsk.acme.httpchallenge.entrypoint=mrsk",
    "--certificatesresolvers.mrsk.acme.keytype=EC256",
    "--log.level=WARN",
    "--providers.providersthrottleduration=1s",
    "--accesslog",
  ]);
});

test("a file provider of the user's remains the only one", () => {
  const own = traefik({ args: new Map([["providers.file.filename", "/etc/t.yml"]]) });
  expect(offersLiveFiles(own)).toBe(false);
  expect(line(runTraefik(own, traefikHost("/d"), new Map()))).toBe(
    "docker run --name traefik --detach --restart unless-stopped --publish 80:80 " +
      "--volume /var/run/docker.sock:/var/run/docker.sock --log-opt max-size=10m traefik:v3.7.15 " +
      "--providers.docker --log.level=INFO --providers.file.filename=/etc/t.yml",
  );
});

test("the other commands", () => {
  expect([
    line(startTraefikContainer()),
    line(stopTraefikContainer()),
    line(traefikStatus()),
    line(removeTraefikContainer()),
    line(removeTraefikImage()),
  ]).toEqual([
    "docker container start traefik",
    "! docker inspect --type container traefik >/dev/null 2>&1 || docker container stop traefik",
    "docker ps --filter 'name=^traefik$'",
    "docker container prune --force --filter label=org.opencontainers.image.title=Traefik",
    "docker image prune --all --force --filter label=org.opencontainers.image.title=Traefik",
  ]);
});

test("settings that version 3 has removed are reported with their replacements, and only for version 3", () => {
  const roles = [role({ labels: new Map([["traefik.http.middlewares.a.ipwhitelist.sourcerange", "10.0.0.0/8"]]) })];
  const flags = new Map<string, string>([["providers.docker.swarmMode", "true"], ["metrics.influxdb.address", "x"]]); // biome-ignore format: one line
  const of = (image: string) =>
    version3Problems(config({ roles, traefik: { ...config().traefik, image, args: flags } }));
  expect(of("traefik:v3.7.15")).toEqual([
    "traefik:v3.7.15 refuses traefik.args.providers.docker.swarmMode: use `providers.swarm`",
    "traefik:v3.7.15 refuses traefik.args.metrics.influxdb.address: use `metrics.influxdb2`",
    "traefik:v3.7.15 ignores or deprecates the label traefik.http.middlewares.a.ipwhitelist.sourcerange (role web): use `ipallowlist`",
  ]);
  expect(of("traefik:v2.11")).toEqual([]);
});

test("the port for TLS is published at the same addresses, unless the user publishes it or names its entry point", () => {
  const find = (overrides: Partial<Traefik>) => findTlsPort(traefik(overrides));
  expect(line(find({}))).toBe('tls_port="$(print_tls_port 443)"');
  expect(line(find({ bindIps: ["192.0.2.7", "2001:db8::1"] }))).toBe(
    `tls_port="$(print_tls_port 443 192.0.2.7: '[2001:db8::1]:')"`,
  );
  const own: Partial<Traefik>[] = [
    { hostPort: undefined },
    { options: new Map([["publish", ["443:443"]]]) },
    { args: new Map([["entrypoints.websecure.address", ":443"]]) },
    { args: new Map([["providers.file.filename", "/x"]]) },
    { image: "traefik:v2.11" },
  ];
  for (const settings of own) {
    expect(line(find(settings))).toBe(":");
    expect(line(runTraefik(traefik(settings), traefikHost("/d"), new Map()))).not.toContain("$tls_port");
  }
});

test("the host ports that Traefik publishes", () => {
  const options = new Map([
    ["publish", ["443:443", "127.0.0.1:8443:443/tcp", "443:443/udp", "9000-9002:9000-9002", "80"]],
  ]);
  expect(hostPorts(traefik({ options }))).toEqual([80, 443, 8443, 9000, 9001, 9002, 18082]);
  expect(hostPorts(traefik({ hostPort: undefined, args: new Map([["providers.file.filename", "/x"]]) }))).toEqual([]);
});

test("the next container is created with its final settings, and docker does not start it", () => {
  const options = new Map<string, string | true>([["restart", "on-failure"], ["init", true]]); // biome-ignore format: one line
  const given = traefik({ options });
  expect(restartPolicy(given)).toBe("on-failure");
  expect(line(createTraefik(given, traefikHost("/d"), new Map(), "traefik-next"))).toMatch(
    /^docker create --name traefik-next --restart no --label "mrsk\.by=\$\$" --publish 80:80 \$tls_port --publish 127\.0\.0\.1:18082:8082 .*--init traefik:v3\.7\.15 --providers\.docker/,
  );
});

test("the second Traefik publishes no port of the first", () => {
  const given = traefik({
    options: new Map([["publish", ["443:443"]]]),
    labels: new Map([["traefik.enable", "true"]]),
  });
  const text = line(
    createSecondTraefik(given, traefikHost("/d"), new Map(), {
      name: "traefik-swap",
      labels: new Map(),
      publish: raw("$flags"),
    }),
  );
  expect(text).toMatch(/^docker create --name traefik-swap --restart no \$flags --volume/);
  expect(text).not.toMatch(/443:443|--publish|traefik\.enable/);
});
