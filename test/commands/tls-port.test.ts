import { expect, test } from "vitest";
import { acmeErrors, createSecondTraefik, findTlsPort, runTraefik } from "../../src/commands/traefik.ts";
import type { Traefik } from "../../src/config/config.ts";
import { lines, raw, sh } from "../../src/script/command.ts";
import { config, line, traefikHost } from "../support/config.ts";
import { fake, run } from "../support/fake-commands.ts";

const traefik = (overrides: Partial<Traefik> = {}) => config({ traefik: { ...config().traefik, ...overrides } });

/** The port 443 in `/proc/net/tcp`. */
const LISTENING = "   0: 00000000:01BB 00000000:0000 0A 00000000:00000000";
const CONNECTED = "   0: 0100007F:01BB 0100007F:D431 01 00000000:00000000";
const OTHER = "   0: 00000000:0050 00000000:0000 0A 00000000:00000000";

/** @param published lines of `docker inspect`, as `80/tcp/0.0.0.0/80` */
function flagsOf(table: string, published: readonly string[] = [], given = traefik()): string {
  fake("docker", published.length === 0 ? "exit 1" : `printf '%s\\n' ${published.join(" ")}`);
  fake("cat", `[ "$*" = '/proc/net/tcp /proc/net/tcp6' ] && echo '${table}'`);
  const { status, stdout } = run(lines(findTlsPort(given), sh`printf %s "$tls_port"`));
  expect(status).toBe(0);
  return stdout.trim();
}

test.each([
  ["is free", OTHER, "--publish 443:443"],
  ["has connections from the host alone", CONNECTED, "--publish 443:443"],
  ["belongs to another program", LISTENING, ""],
])("the port for TLS is published unless it is taken: it %s", (_, table, flags) => {
  expect(flagsOf(table)).toBe(flags);
});

test.each([
  ["last", ["80/tcp/0.0.0.0/80", "443/tcp/0.0.0.0/443"], "--publish 443:443"],
  ["first", ["443/tcp/0.0.0.0/443", "80/tcp/0.0.0.0/80"], "--publish 443:443"],
  ["not at all, but a port that ends with its digits", ["80/tcp/0.0.0.0/8443"], ""],
])("a port that Traefik itself publishes is not taken: %s", (_, published, flags) => {
  expect(flagsOf(LISTENING, published)).toBe(flags);
});

test("the port for TLS is published at the addresses of the other port", () => {
  const given = traefik({ bindIps: ["192.0.2.7", "2001:db8::1"] });
  expect(flagsOf(OTHER, [], given)).toBe("--publish 192.0.2.7:443:443 --publish [2001:db8::1]:443:443");
});

test.each([
  ["no port is published at all", { hostPort: undefined }],
  ["the user's entry point has it", { args: new Map([["entrypoints.websecure.address", ":443"]]) }],
  ["the user's entry point has its name", { args: new Map([["entrypoints.https.address", ":8443"]]) }],
  ["the user's options publish it for another port", { options: new Map([["publish", ["443:8443"]]]) }],
  ["host_port is the same", { hostPort: 443 }],
  ["Traefik 2 has no TLS of mrsk's", { image: "traefik:v2.11" }],
] satisfies [string, Partial<Traefik>][])("mrsk publishes no port for TLS if %s", (_, overrides) => {
  expect(flagsOf(OTHER, [], traefik(overrides))).toBe("");
  expect(line(runTraefik(traefik(overrides), traefikHost("/d/traefik"), new Map()))).not.toContain("tls_port");
});

test("Traefik keeps the certificates of the authority next to the live files; the second one cannot change them", () => {
  expect(line(runTraefik(config(), traefikHost("/d/traefik"), new Map()))).toContain(
    " --publish 80:80 $tls_port --publish 127.0.0.1:18082:8082 --volume /var/run/docker.sock:/var/run/docker.sock " +
      "--volume /d/traefik:/etc/traefik/mrsk:ro --volume /d/acme:/etc/traefik/acme ",
  );
  const second = { name: "traefik-swap", labels: new Map(), publish: raw("$flags") };
  expect(line(createSecondTraefik(config(), traefikHost("/d/traefik"), new Map(), second))).toContain(
    " --volume /d/acme:/etc/traefik/acme:ro ",
  );
});

test("of Traefik's log, the newest lines about certificates are read", () => {
  fake(
    "docker",
    `[ "$*" = 'logs --since 65s traefik' ] && seq -f 'ERR Unable to obtain ACME certificate %g' 7 >&2; echo INF`,
  );
  expect(run(acmeErrors(65)).stdout).toBe(
    [3, 4, 5, 6, 7].map((i) => `ERR Unable to obtain ACME certificate ${i}\n`).join(""),
  );
});
