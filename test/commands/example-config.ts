import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Config, Environment, Options, Role } from "../../src/config/config.ts";
import { Secret } from "../../src/config/secret.ts";
import { accessory, config, role } from "./support.ts";

export const EXAMPLES = new URL(process.env["EXAMPLES"] ?? "../fixtures/examples/", import.meta.url);

type Written = Record<string, any>;

export async function exampleConfig(
  file: string,
  destination: string | undefined,
  environment: ReadonlyMap<string, string>,
): Promise<Config> {
  const read = (name: string): Written =>
    parse(
      readFileSync(new URL(name, EXAMPLES), "utf8").replaceAll(
        /<%= ENV.fetch\("(\w+)"\) %>/g,
        (_, v: string) => environment.get(v)!,
      ),
      { version: "1.1" },
    );
  let w = read(file);
  if (destination) w = merge(w, read(file.replace(".yml", `.${destination}.yml`)));
  const env = environ(w["env"]);
  const healthcheck = {
    cmd: undefined,
    path: "/up",
    port: 3000,
    interval: "1s",
    intervalSeconds: 1,
    maxAttempts: 7,
    ...w["healthcheck"],
  };
  const servers: Written = Array.isArray(w["servers"]) ? { web: w["servers"] } : w["servers"];
  const roles: Role[] = Object.keys(servers)
    .toSorted()
    .map((name) => {
      const r: Written = Array.isArray(servers[name]) ? { hosts: servers[name] } : servers[name];
      const own = environ(r["env"]);
      const traefik = name === "web" || Boolean(r["traefik"]);
      return role({
        name,
        hosts: [r["hosts"]].flat(),
        traefik,
        cmd: r["cmd"],
        env: { clear: new Map([...env.clear, ...own.clear]), secret: [...new Set([...env.secret, ...own.secret])] },
        labels: new Map([...map(w["labels"]), ...map(r["labels"])]),
        options: opts(r["options"]),
        healthcheck: traefik
          ? { ...healthcheck, ...r["healthcheck"] }
          : r["healthcheck"]
            ? { ...healthcheck, ...r["healthcheck"] }
            : undefined,
      });
    });
  const b = w["builder"] ?? {};
  const server = w["registry"]["server"];
  const cred = (c: unknown) => (Array.isArray(c) ? { variable: c[0] } : { value: new Secret("c", String(c)) });
  const t = w["traefik"] ?? {};
  const logging = w["logging"] ?? { options: { "max-size": "10m" } };
  return config({
    destination,
    service: w["service"],
    repository: server ? `${server}/${w["image"]}` : w["image"],
    registry: { server, username: cred(w["registry"]["username"]), password: cred(w["registry"]["password"]) },
    roles,
    env,
    volumes: w["volumes"] ?? [],
    logging: { driver: logging.driver, options: map(logging.options) },
    stopWaitSeconds: w["stop_wait_time"],
    traefik: {
      image: t.image ?? "traefik:v3.7.15",
      hostPort: t.host_port ?? 80,
      args: opts(t.args),
      options: opts(t.options),
      labels: map(t.labels),
      env: environ(t.env),
    },
    builder: {
      ...config().builder,
      kind:
        b.multiarch === false
          ? "native"
          : b.local && b.remote
            ? "multiarch/remote"
            : b.remote
              ? "native/remote"
              : "multiarch",
      local: b.local,
      remote: b.remote,
      args: map(b.args),
      secrets: b.secrets ?? [],
      dockerfile: b.dockerfile ?? "Dockerfile",
      context: b.context ?? ".",
    },
    accessories: Object.entries((w["accessories"] ?? {}) as Record<string, Written>).map(([name, a]) =>
      accessory({
        name,
        service: `${w["service"]}-${name}`,
        image: a["image"],
        hosts: a["host"]
          ? [a["host"]]
          : (a["hosts"] ?? a["roles"].flatMap((r: string) => roles.find((x) => x.name === r)!.hosts)),
        publish:
          a["port"] === undefined
            ? undefined
            : String(a["port"]).includes(":")
              ? a["port"]
              : `${a["port"]}:${a["port"]}`,
        cmd: a["cmd"],
        env: environ(a["env"]),
        labels: map(a["labels"]),
        options: opts(a["options"]),
        volumes: a["volumes"] ?? [],
        files: (a["files"] ?? []).map((f: string) => ({
          local: f.split(":")[0]!,
          remote: f.split(":")[1]!,
          mode: "755",
        })),
        directories: (a["directories"] ?? []).map((f: string) => ({
          source: f.split(":")[0]!,
          target: f.split(":")[1]!,
          mountOptions: undefined,
        })),
      }),
    ),
  });
}

function environ(e: Written | undefined): Environment {
  if (!e) return { clear: new Map(), secret: [] };
  if (e["secret"] || e["clear"]) return { clear: map(e["clear"]), secret: e["secret"] ?? [] };
  return { clear: map(e), secret: [] };
}

function map(m: Written | undefined): Map<string, string> {
  return new Map(Object.entries(m ?? {}).map(([k, v]) => [k, v === null ? "" : String(v)]));
}

function opts(m: Written | undefined): Options {
  return new Map(
    Object.entries(m ?? {}).map(([k, v]) => [k, v === true ? true : Array.isArray(v) ? v.map(String) : String(v)]),
  );
}

function merge(a: Written, b: Written): Written {
  const out = { ...a };
  for (const [k, v] of Object.entries(b))
    out[k] = v && typeof v === "object" && !Array.isArray(v) && out[k] ? merge(out[k], v) : v;
  return out;
}
