import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configOf, problemsOf, withRequired } from "../config/from-yaml.ts";

const guide = readFileSync(new URL("../../src/docs/kamal2.md", import.meta.url), "utf8");
/** The cells of the rows below a heading. */
const rowsBelow = (heading: string) =>
  guide
    .split(`## ${heading}\n`)[1]!
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
    .slice(1)
    .map((line) => line.slice(2, -2).split(" | "));

const FILE = withRequired("builder: {arch: amd64}\nenv: {EMPTY: ''}\nboot: {limit: 1}\n").replace(
  "[10.0.0.1]",
  "{web: [10.0.0.1], jobs: [10.0.0.2]}",
);
const OLD = FILE.replace("builder: {arch: amd64}", "traefik: {publish: true}");

test("the guide has the defaults that files of both generations get", async () => {
  const shown = Object.fromEntries(rowsBelow("How a file is recognized").map(([what, ...both]) => [what, both]));
  const [second, first] = await Promise.all([configOf(FILE), configOf(OLD)]);
  const facts = ({ network, runDirectory, deployTimeoutSeconds, boot, roles }: typeof first) => {
    const [jobs, web] = roles;
    return [
      network,
      runDirectory,
      deployTimeoutSeconds,
      boot.waitSeconds,
      web!.healthcheck?.port,
      jobs!.stopWaitSeconds,
      web!.env.clear.has("EMPTY"),
    ];
  };
  expect(facts(second)).toEqual(["kamal", ".kamal", 30, 0, 80, 30, false]);
  expect(facts(first)).toEqual([undefined, ".mrsk", undefined, 2, 3000, undefined, true]);
  expect(shown["docker network of app, accessories and Traefik"]).toEqual(["`kamal`", "docker's bridge"]);
  expect(shown["directory on the servers"]![0]).toMatch(/^`\.kamal`;/);
  expect(shown["time for a new container to become healthy"]![0]).toBe("`deploy_timeout`, 30 seconds");
  expect(shown["pause between groups of `boot.limit`"]).toEqual(["none", "2 seconds"]);
  expect(shown["port of the app"]).toEqual(["80", "the one that the image exposes; 3000 for the health check"]);
  expect(shown["stop time of a role that is not behind the proxy"]![0]).toBe("`drain_timeout`");
});

const REFUSED: Readonly<Record<string, string>> = {
  "`accessories.NAME.proxy.ssl`": "accessories: {db: {image: x, host: h, proxy: {host: a.b, ssl: true}}}",
  "`accessories.NAME.proxy.response_timeout`":
    "accessories: {db: {image: x, host: h, proxy: {host: a.b, response_timeout: 60}}}",
  "`registry.server: localhost:PORT` without a user name": "registry: {server: 'localhost:5555'}",
  "`builder.pack`": "builder: {arch: amd64, pack: {builder: b}}",
  "`builder.driver: cloud …`": "builder: {arch: amd64, driver: cloud a/b}",
  "`service` that begins with `-` or `_`": "service: _app",
};

test("the guide names each setting that is refused, and each is", async () => {
  expect(rowsBelow("What is refused, and what to write instead").map(([what]) => what)).toEqual(Object.keys(REFUSED));
  for (const yaml of Object.values(REFUSED)) {
    const key = yaml.slice(0, yaml.indexOf(":"));
    const rest = FILE.split("\n").filter((line) => !line.startsWith(`${key}:`));
    const file = [...rest, yaml].join("\n");
    const problems = await problemsOf(file);
    expect([...problems, ...(problems.length > 0 ? [] : (await configOf(file)).unsupported)]).toHaveLength(1);
  }
});

test("the guide names each key without a counterpart, and each gives a note", async () => {
  const { notes } = await configOf(
    `${FILE}
error_pages_path: public
ssh: {forward_agent: true}
sshkit: {dns_retries: 2}
output: {file: {path: log}, otel: {endpoint: "http://o"}}
proxy: {run: {https_port: 8443, registry: r, repository: a/b, version: v1}}
`.replace("boot: {limit: 1}", "boot: {limit: 1, parallel_roles: true}"),
  );
  const keys = notes.map((note) => note.split(" ")[0]!.replace(/^output\..*/, "output"));
  const named = Array.from(guide.slice(guide.lastIndexOf("These keys load")).matchAll(/`([^`]+)`/g), ([, key]) => key!);
  const full = named.map((key) => (key === "repository" || key === "version" ? `proxy.run.${key}` : key));
  expect([...new Set(keys)].toSorted()).toEqual(full.toSorted());
});
