import { test } from "vitest";
import { problemsOf, withRequired } from "./from-yaml.ts";
const R = (server: string, image = "acme/app") =>
  `service: app\nimage: ${image}\nservers: [10.0.0.1]\nregistry: {${server}username: u, password: p}\n`;
const rows: string[] = [
  R("server: https://ghcr.io, "),
  R("server: 'ghcr.io/', "),
  R("server: 'ghcr.io:99999', "),
  R("server: 'ghcr.io:x/y', "),
  R("server: 'user@ghcr.io', "),
  R("server: '${REGISTRY}', "),
  R("server: ghcr.io/acme, "),
  R("", "ghcr.io/acme/app"),
  R("server: ghcr.io, ", "ghcr.io/acme/app"),
  R("", "docker.io/acme/app"),
  withRequired("asset_path: false"),
  withRequired("network: true\nhooks_path: false\nrun_directory: false"),
  withRequired("accessories: {db: {image: x, role: web}}"),
  withRequired("accessories: {db: {image: x, hots: [a]}, b: {image: x, roels: [web], fils: []}, c: {image: x}}"),
  "service: app\nimage: acme/app\nservers: {web: {hosts: [a], helthcheck: {path: /}, healthcheck: {pth: /}}, jobs: {host: [a]}}\nregistry: {username: u, password: p}\n",
  withRequired(
    "builder: {args: {A: ${B}}, remote: {arhc: amd64}, cache: {tpye: gha}}\nssh: {usr: x}\nhealthcheck: {intervall: 1s}\ntraefik: {optoins: {}}\nlogging: {drivr: x}",
  ),
  "service: app\nimage: acme/app\nregistry: {username: u, password: p}\n",
  withRequired("env: {claer: {A: 1}, secret: [B]}"),
  withRequired("env: {clear: {A: 1}, secrets: [B]}"),
  withRequired("accessories: {db: {image: x, host: a, files: [{local: x, remot: /y}]}}"),
  "service: app\nimage: acme/app\nservers: [a]\nregistry: {username: [A, B], password: [${PW}]}\n",
];
test("x", async () => {
  for (const r of rows) {
    let out: string;
    try {
      const p = await problemsOf(r);
      out = p.map((x) => "    " + x).join("\n");
    } catch (e) {
      out = "!!!!!!!!!!!!!!!!!!! " + (e as Error).stack;
    }
    process.stdout.write(
      `${JSON.stringify(r.slice(r.startsWith("service: app\nimage: acme/app\nservers: [10") ? 80 : 0, 150))}\n${out}\n`,
    );
  }
}, 60000);
