import type { Circumstances } from "../support/transcript.ts";

/** The effect of a key: with `yaml` added to `base`, the transcript of the command contains `see`; without, it does not. */
export interface Effect extends Circumstances {
  readonly yaml: string;
  /** The configuration in both cases. */
  readonly base?: string;
  readonly see?: RegExp;
  /** Instead of `see`: what the transcript contains only without the key. */
  readonly gone?: RegExp;
}

/** An effect that another file tests. A title in it contains `test`. */
export interface Elsewhere {
  readonly file: string;
  readonly test: string;
}

const SSH = "test/ssh/connections.test.ts";
const OLD = { old: true } as const;

const TWO_ROLES = "servers: {web: [10.0.0.1], jobs: [10.0.0.2]}";
const DB = "accessories: {db: {image: redis:7, host: 10.0.0.1}}";
const accessory = (more: string) => ({
  base: DB,
  yaml: `accessories: {db: {image: redis:7, host: 10.0.0.1, ${more}}}`,
  command: "accessory boot" as const,
});
const traefik = (more: string) => ({ yaml: `traefik: {${more}}` });
const role = (more: string) => ({ yaml: `servers: {web: {hosts: [10.0.0.1], ${more}}}` });
const BOTH = "local: {arch: amd64, host: unix:///l.sock}, remote: {arch: arm64, host: ssh://r}";
const TAGGED = "servers: [{10.0.0.1: eu}]";
const TAGGED_JOBS = "servers: {web: [10.0.0.1], jobs: [{10.0.0.2: eu}]}";

/** The keys of a healthcheck, for one of its places. */
const healthcheck = (place: (more: string) => { yaml: string }): Readonly<Record<string, Effect>> => ({
  cmd: { ...place("healthcheck: {cmd: bin/alive}"), see: /--health-cmd bin\/alive / },
  path: { ...place("healthcheck: {path: /ok}"), see: /wait_route .*\.mrsk \/ok / },
  port: { ...place("healthcheck: {port: 8080}"), see: /Host: localhost:8080$/m },
  interval: { ...place("healthcheck: {interval: 5s}"), see: /--health-interval 5s / },
  max_attempts: { ...place("healthcheck: {max_attempts: 2}"), see: /wait_route .* 3 50$/m },
  cord: { ...place("healthcheck: {cord: /tmp/cord}"), see: /healthcheck.cord has no effect here: / },
  exposed_port: { ...place("healthcheck: {exposed_port: 4000}"), see: /healthcheck.exposed_port has no effect here: / },
  log_lines: { ...place("healthcheck: {log_lines: 7}"), see: /wait_route .* 28 7$/m },
});

const env = (place: (more: string) => Omit<Effect, "see">, run: RegExp): Readonly<Record<string, Effect>> => ({
  clear: { ...place("env: {clear: {A: clear value}}"), see: new RegExp(`${run.source}.* -e 'A=clear value'`) },
  secret: { ...place("env: {secret: [TOKEN]}"), see: new RegExp(`TOKEN="?<TOKEN>"? ${run.source}.* -e TOKEN `) },
});

const logging = (place: (more: string) => { yaml: string }): Readonly<Record<string, Effect>> => ({
  driver: { ...place("logging: {driver: local}"), see: /docker run .*--name app-web-2 .*--log-driver local / },
  options: { ...place("logging: {options: {max-file: '3'}}"), see: /--name app-web-2 .*--log-opt max-file=3 / },
});

const top = (yaml: string) => ({ yaml });

/** A file of Kamal 2: with `yaml` added to its base. */
const inKamal2 = (yaml: string, base = "") => ({
  base: `builder: {arch: amd64}\n${base}`,
  yaml: `builder: {arch: amd64}\n${yaml}`,
});
const refused = (path: string) => new RegExp(`ERROR: deploy\\.yml:\\d+:\\d+: ${path}: not supported yet: `);
const noted = (key: string) => new RegExp(`${key.replaceAll(".", "\\.")} has no effect here: `);

const OWN_CERTIFICATE = "ssl: {certificate_pem: TLS_CERTIFICATE, private_key_pem: TLS_KEY}";
const CERTIFICATE_FILE = /^10\.0\.0\.1> Certificate > Write the certificate file/m;

/** The keys of a proxy, for one of its places. @param path of the section in messages */
const proxy = (
  place: (more: string) => Omit<Effect, "see">,
  path: string,
): Readonly<Record<string, Effect | Elsewhere>> => {
  const part = (more: string) => place(`proxy: {${more}}`);
  const note = (key: string) => noted(`${path.replaceAll("/", ".")}.run.${key}`);
  return {
    host: { ...part("host: a.b"), see: /routers\.app-web\.rule=Host\(`a\.b`\)/ },
    hosts: { ...part("hosts: [a.b, c.d]"), see: /routers\.app-web\.rule=Host\(`a\.b`\) \|\| Host\(`c\.d`\)/ },
    app_port: { ...part("app_port: 3000"), see: /loadbalancer\.server\.port=3000/ },
    ssl: { ...part("ssl: true, host: a.b"), see: /routers\.app-web-tls\.tls=true/ },
    "ssl.certificate_pem": { ...part(`${OWN_CERTIFICATE}, host: a.b`), see: CERTIFICATE_FILE },
    "ssl.private_key_pem": { ...part(`${OWN_CERTIFICATE}, host: a.b`), see: CERTIFICATE_FILE },
    ssl_redirect: { file: "test/docs/https.test.ts", test: "ssl_redirect: false" },
    forward_headers: { ...part("forward_headers: false"), gone: /entrypoints\.http\.forwardedheaders\.insecure=true/ },
    response_timeout: { ...part("response_timeout: 60"), see: /serverstransport=app-web-timeout-60s@file/ },
    path_prefix: { ...part("path_prefix: /api"), see: /rule=Path\(`\/api`\) \|\| PathPrefix\(`\/api\/`\)/ },
    path_prefixes: { ...part("path_prefixes: [/x]"), see: /rule=Path\(`\/x`\) \|\| PathPrefix\(`\/x\/`\)/ },
    strip_path_prefix: { ...part("path_prefix: /a, strip_path_prefix: true"), see: /stripprefix\.prefixes=\/a/ },
    "healthcheck.path": { ...part("healthcheck: {path: /ok}"), see: /wait_route .*\.mrsk \/ok / },
    "healthcheck.interval": {
      ...part("healthcheck: {interval: 7}"),
      see: /--health-interval 7s .*wait_route .* 5 7 30 50$/ms,
    },
    "healthcheck.timeout": {
      ...part("healthcheck: {timeout: 8}"),
      see: /--health-timeout 8s .*wait_route .* 8 1 30 50$/ms,
    },
    "buffering.requests": { ...part("buffering: {requests: true}"), see: noted("proxy.buffering.requests") },
    "buffering.responses": { ...part("buffering: {responses: true}"), see: noted("proxy.buffering.responses") },
    "buffering.max_request_body": {
      ...part("buffering: {max_request_body: 11}"),
      see: /app-web-buffering\.buffering\.maxrequestbodybytes=11 /,
    },
    "buffering.max_response_body": {
      ...part("buffering: {max_response_body: 12}"),
      see: /app-web-buffering\.buffering\.maxresponsebodybytes=12 /,
    },
    "buffering.memory": {
      ...part("buffering: {max_request_body: 11, memory: 13}"),
      see: /\.buffering\.memrequestbodybytes=13 .*\.buffering\.memresponsebodybytes=13 /,
    },
    "logging.request_headers": {
      ...part("logging: {request_headers: [X]}"),
      see: /--accesslog\.format=json --accesslog\.fields\.headers\.names\.X=keep/,
    },
    "logging.response_headers": {
      ...part("logging: {response_headers: [X]}"),
      see: /--accesslog\.fields\.headers\.names\.X=keep/,
    },
    "run.http_port": { ...part("run: {http_port: 8080}"), see: /--publish 8080:80 / },
    "run.https_port": { ...part("run: {https_port: 8443}"), see: note("https_port") },
    "run.publish": { ...part("run: {publish: false}"), gone: /--publish 80:80 / },
    "run.bind_ips": { ...part("run: {bind_ips: [10.0.0.1]}"), see: /--publish 10\.0\.0\.1:80:80 / },
    "run.metrics_port": { ...part("run: {metrics_port: 9090}"), see: / --entrypoints\.mrsk-metrics\.address=:9090 / },
    "run.debug": { ...part("run: {debug: true}"), see: / --log\.level=DEBUG/ },
    "run.log_max_size": { ...part("run: {log_max_size: 1m}"), see: /--name traefik .*--log-opt max-size=1m / },
    "run.registry": { ...part("run: {registry: ghcr.io}"), see: note("registry") },
    "run.repository": { ...part("run: {repository: a/b}"), see: note("repository") },
    "run.version": { ...part("run: {version: v1}"), see: note("version") },
    "run.options": { ...part("run: {options: {memory: 256m}}"), see: /--name traefik .*--memory 256m / },
  };
};

/** The keys of an accessory's section. It is on a server of its own. */
const accessoryProxy = (): Readonly<Record<string, Effect>> => {
  const section = (written: string) => `accessories: {db: {image: redis:7, host: 10.0.0.5, proxy: {${written}}}}`;
  const boot = { base: section("host: a.b"), command: "accessory boot" as const };
  const part = (more: string) => ({ ...boot, yaml: section(`host: a.b, ${more}`) });
  const unsupported = (keys: string) => refused(`accessories/db/proxy/${keys}`);
  const rule = (text: string) => new RegExp(`--name app-db .*routers\\.app-db\\.rule=${text}`);
  const ofTraefik = (text: string) => new RegExp(`--name traefik .*${text} `);
  return {
    host: { ...boot, yaml: section("host: c.d"), see: rule("Host\\(`c\\.d`\\)") },
    hosts: { ...boot, yaml: section("hosts: [c.d, e.f]"), see: rule("Host\\(`c\\.d`\\) \\|\\| Host\\(`e\\.f`\\)") },
    app_port: { ...part("app_port: 3000"), see: /loadbalancer\.server\.port=3000 [^]*wait_target app-db 3000 \/up / },
    ssl: { ...part("ssl: true"), see: unsupported("ssl") },
    "ssl.certificate_pem": { ...part("ssl: {certificate_pem: C, private_key_pem: K}"), see: unsupported("ssl") },
    "ssl.private_key_pem": { ...part("ssl: {certificate_pem: C, private_key_pem: K}"), see: unsupported("ssl") },
    ssl_redirect: { ...part("ssl: true, ssl_redirect: true"), see: unsupported("ssl") },
    forward_headers: { ...part("forward_headers: false"), gone: /forwardedheaders\.insecure=true/ },
    response_timeout: { ...part("response_timeout: 60"), see: unsupported("response_timeout") },
    path_prefix: { ...part("path_prefix: /api"), see: rule(".*Path\\(`/api`\\) \\|\\| PathPrefix\\(`/api/`\\)") },
    path_prefixes: { ...part("path_prefixes: [/x]"), see: rule(".*Path\\(`/x`\\) \\|\\| PathPrefix\\(`/x/`\\)") },
    strip_path_prefix: {
      ...part("path_prefix: /a, strip_path_prefix: true"),
      see: /middlewares\.app-db-strip\.stripprefix\.prefixes=\/a /,
    },
    "healthcheck.path": {
      ...part("healthcheck: {path: /ok?a=1}"),
      see: /wait_target app-db 80 '?\/ok\?a=1'? 30 1 5 50$/m,
    },
    "healthcheck.interval": { ...part("healthcheck: {interval: 7}"), see: /wait_target app-db 80 \/up 30 7 5 50$/m },
    "healthcheck.timeout": { ...part("healthcheck: {timeout: 8}"), see: /wait_target app-db 80 \/up 30 1 8 50$/m },
    "buffering.requests": {
      ...part("buffering: {requests: true}"),
      command: "config",
      see: noted("accessories.db.proxy.buffering.requests"),
    },
    "buffering.responses": {
      ...part("buffering: {responses: true}"),
      command: "config",
      see: noted("accessories.db.proxy.buffering.responses"),
    },
    "buffering.max_request_body": {
      ...part("buffering: {max_request_body: 11}"),
      see: /app-db-buffering\.buffering\.maxrequestbodybytes=11 /,
    },
    "buffering.max_response_body": {
      ...part("buffering: {max_response_body: 12}"),
      see: /app-db-buffering\.buffering\.maxresponsebodybytes=12 /,
    },
    "buffering.memory": {
      ...part("buffering: {max_request_body: 11, memory: 13}"),
      see: /\.buffering\.memrequestbodybytes=13 .*\.buffering\.memresponsebodybytes=13 /,
    },
    "logging.request_headers": {
      ...part("logging: {request_headers: [X]}"),
      see: /--accesslog\.format=json --accesslog\.fields\.headers\.names\.X=keep/,
    },
    "logging.response_headers": {
      ...part("logging: {response_headers: [X]}"),
      see: /--accesslog\.fields\.headers\.names\.X=keep/,
    },
    "run.http_port": { ...part("run: {http_port: 8080}"), see: ofTraefik("--publish 8080:80") },
    "run.https_port": {
      ...part("run: {https_port: 8443}"),
      command: "config",
      see: noted("accessories.db.proxy.run.https_port"),
    },
    "run.publish": { ...part("run: {publish: false}"), gone: ofTraefik("--publish 80:80") },
    "run.bind_ips": { ...part('run: {bind_ips: ["::1"]}'), see: ofTraefik("--publish '?\\[::1\\]:80:80'?") },
    "run.metrics_port": {
      ...part("run: {metrics_port: 9090}"),
      see: ofTraefik("--entrypoints\\.mrsk-metrics\\.address=:9090"),
    },
    "run.debug": { ...part("run: {debug: true}"), see: / --log\.level=DEBUG/ },
    "run.log_max_size": { ...part("run: {log_max_size: 1m}"), see: ofTraefik("--log-opt max-size=1m") },
    ...Object.fromEntries(
      ["registry", "repository", "version"].map((key) => [
        `run.${key}`,
        { ...part(`run: {${key}: a}`), command: "config" as const, see: noted(`accessories.db.proxy.run.${key}`) },
      ]),
    ),
    "run.options": { ...part("run: {options: {memory: 257m}}"), see: ofTraefik("--memory 257m") },
  };
};

/** By the path of the key in the reference, `*` for any name. */
export const EFFECTS: Readonly<Record<string, Effect | Elsewhere>> = {
  service: { yaml: "service: shop", see: /docker run .*--name shop-web-2 / },
  image: { yaml: "image: acme/shop", see: /docker pull acme\/shop:2/ },
  servers: { yaml: "servers: [10.0.0.9]", see: /^10\.0\.0\.9> Start > Start app-web-2/m },
  registry: { yaml: "registry: {username: u, password: [PW]}", see: /<PW>/ },
  ...under("registry", {
    server: { yaml: "registry: {server: ghcr.io, username: u, password: p}", see: /docker pull ghcr\.io\/acme\/app:2/ },
    username: { yaml: "registry: {username: [WHO], password: p}", see: /docker login .*<WHO>/ },
    password: { yaml: "registry: {username: u, password: [PW]}", see: /<PW>.*docker login/ },
  }),
  env: { yaml: "env: {A: flat}", see: /docker run .*-e A=flat / },
  ...under("env", {
    ...env(top, /docker run .*--name app-web-2/),
    tags: { base: TAGGED, yaml: `${TAGGED}\nenv: {tags: {eu: {REGION: eu}}}`, see: /-e REGION=eu / },
  }),
  ...under(
    "env.tags.*",
    env(
      (more) => ({ base: TAGGED, yaml: `${TAGGED}\nenv: {tags: {eu: ${inner(more)}}}` }),
      /docker run .*--name app-web-2/,
    ),
  ),
  labels: { yaml: "labels: {team: shop}", see: /docker run .*--label team=shop / },
  volumes: { yaml: "volumes: [/srv/up:/up]", see: /docker run .*--volume \/srv\/up:\/up / },
  ...under("logging", logging(top)),
  ...under("healthcheck", healthcheck(top)),
  readiness_delay: { base: TWO_ROLES, yaml: `${TWO_ROLES}\nreadiness_delay: 11`, see: /wait_healthy \S+ \d+ 11 / },
  stop_wait_time: {
    ...OLD,
    yaml: "stop_wait_time: 16",
    see: /Finalize > Stop the old container.*\ndocker stop -t 16 /,
  },
  stop_timeout: { ...OLD, yaml: "stop_timeout: 16", see: /Stop the old container.*\ndocker stop -t 16 / },
  deploy_timeout: { yaml: "deploy_timeout: 75", see: /wait_route .* 75 50$/m },
  drain_timeout: { ...OLD, yaml: "drain_timeout: 17", see: /drain_container \S+ 17 / },
  ...under("release", {
    command: {
      yaml: "release: {command: bin/migrate now}",
      see: /10\.0\.0\.1> Release > Run the release command: docker run --rm .*acme\/app:2 bin\/migrate now/,
    },
    timeout: {
      base: "release: bin/migrate",
      yaml: "release: {command: bin/migrate, timeout: 77}",
      see: /^sleep 77$/m,
    },
    role: {
      base: `${TWO_ROLES}\nrelease: bin/migrate`,
      yaml: `${TWO_ROLES}\nrelease: {command: bin/migrate, role: jobs}`,
      see: /10\.0\.0\.2> Release > Run the release command/,
    },
  }),
  ...under("boot", {
    limit: {
      base: "servers: [10.0.0.1, 10.0.0.2]",
      yaml: "servers: [10.0.0.1, 10.0.0.2]\nboot: {limit: 50%}",
      see: /10\.0\.0\.1> Finalize[^]*^sleep 2$[^]*10\.0\.0\.2> Start > /m,
    },
    wait: {
      base: "servers: [10.0.0.1, 10.0.0.2]\nboot: {limit: 1}",
      yaml: "servers: [10.0.0.1, 10.0.0.2]\nboot: {limit: 1, wait: 19}",
      see: /^sleep 19$/m,
    },
    watch: { yaml: "boot: {watch: 20}", see: /Watch > Watch for 20 s/ },
    order: { ...OLD, yaml: "boot: {order: stop_first}", see: /Switch > Stop the old container/ },
    parallel_roles: { yaml: "boot: {parallel_roles: true}", see: noted("boot.parallel_roles") },
  }),
  ...under("builder", {
    arch: { yaml: "builder: {arch: riscv64}", see: /buildx build .*--platform linux\/riscv64 / },
    driver: { yaml: "builder: {arch: arm64, driver: docker}", see: /docker build --platform linux\/arm64 / },
    "pack.builder": { yaml: "builder: {pack: {builder: x}}", see: refused("builder/pack") },
    "pack.buildpacks": { yaml: "builder: {pack: {builder: x, buildpacks: [y]}}", see: refused("builder/pack") },
    provenance: { yaml: "builder: {provenance: false}", see: /--provenance false / },
    sbom: { yaml: "builder: {sbom: true}", see: /--sbom true / },
    multiarch: { yaml: "builder: {multiarch: false}", see: /localhost> Build > .*docker build -t/ },
    local: { yaml: "builder: {local: {arch: arm64}}", see: /buildx build .*--platform linux\/arm64 / },
    "local.arch": { yaml: "builder: {local: {arch: arm64}}", see: /buildx build .*--platform linux\/arm64 / },
    "local.host": { yaml: `builder: {${BOTH}}`, command: "build create", see: /host=unix:\/\/\/l\.sock/ },
    remote: { yaml: "builder: {remote: {arch: arm64, host: ssh://r}}", see: /--builder mrsk-app-native-remote / },
    "remote.arch": { yaml: "builder: {remote: {arch: riscv64, host: ssh://r}}", see: /--platform linux\/riscv64 / },
    "remote.host": { yaml: `builder: {${BOTH}}`, command: "build create", see: /host=ssh:\/\/r/ },
    args: { yaml: "builder: {args: {NODE: '22'}}", see: /NODE="?<NODE>"? .*--build-arg NODE / },
    allow_tracked_env: { file: "test/flow/build/tracked-env.test.ts", test: "builder.allow_tracked_env allows it" },
    secrets: { yaml: "builder: {secrets: [NPM]}", see: /NPM="?<NPM>"? .*--secret id=NPM / },
    dockerfile: {
      yaml: "builder: {dockerfile: d/Other}",
      files: { "d/Other": "FROM scratch\n" },
      see: /--file d\/Other /,
    },
    context: { yaml: "builder: {context: ./app}", see: /buildx build .* \.\/app$/m },
    target: { yaml: "builder: {target: production}", see: /--target production / },
    ssh: { yaml: "builder: {ssh: default}", see: /--ssh default / },
    cache: { yaml: "builder: {cache: {type: gha}}", see: /--cache-to type=gha / },
    "cache.type": {
      yaml: "builder: {cache: {type: registry}}",
      see: /--cache-to type=registry,ref=acme\/app-build-cache /,
    },
    "cache.options": { yaml: "builder: {cache: {type: gha, options: mode=max}}", see: /type=gha,mode=max / },
    "cache.image": { yaml: "builder: {cache: {type: registry, image: acme/c}}", see: /ref=acme\/c / },
  }),
  accessories: { yaml: DB, command: "accessory boot", see: /docker run --name app-db .*redis:7/ },
  ...under("accessories.*", {
    image: { base: DB, yaml: DB.replace("redis:7", "redis:8"), command: "accessory boot", see: / redis:8/ },
    service: { ...accessory("service: shared"), see: /docker run --name shared / },
    host: {
      base: DB,
      yaml: DB.replace(".1}", ".5}"),
      command: "accessory boot",
      see: /^10\.0\.0\.5> Boot the accessory/m,
    },
    hosts: {
      base: DB,
      yaml: DB.replace("host: 10.0.0.1", "hosts: [10.0.0.5, 10.0.0.6]"),
      command: "accessory boot",
      see: /^10\.0\.0\.6> Boot the accessory/m,
    },
    roles: {
      base: `${TWO_ROLES}\n${DB}`,
      yaml: `${TWO_ROLES}\n${DB.replace("host: 10.0.0.1", "roles: [jobs]")}`,
      command: "accessory boot",
      see: /^10\.0\.0\.2> Boot the accessory/m,
    },
    role: {
      ...inKamal2(`${TWO_ROLES}\n${DB.replace("host: 10.0.0.1", "role: jobs")}`, `${TWO_ROLES}\n${DB}`),
      command: "accessory boot",
      see: /^10\.0\.0\.2> Boot the accessory/m,
    },
    tag: {
      ...inKamal2(`${TAGGED_JOBS}\n${DB.replace("host: 10.0.0.1", "tag: eu")}`, `${TAGGED_JOBS}\n${DB}`),
      command: "accessory boot",
      see: /^10\.0\.0\.2> Boot the accessory/m,
    },
    tags: {
      ...inKamal2(`${TAGGED_JOBS}\n${DB.replace("host: 10.0.0.1", "tags: [eu]")}`, `${TAGGED_JOBS}\n${DB}`),
      command: "accessory boot",
      see: /^10\.0\.0\.2> Boot the accessory/m,
    },
    port: { ...accessory("port: 6379"), see: /--publish 6379:6379 / },
    cmd: { ...accessory("cmd: redis-server --appendonly yes"), see: /redis:7 redis-server --appendonly yes/ },
    labels: { ...accessory("labels: {team: shop}"), see: /--label team=shop / },
    options: { ...accessory("options: {memory: 1g}"), see: /--memory 1g / },
    files: {
      ...accessory("files: [my.cnf:/etc/my.cnf]"),
      files: { "my.cnf": "x" },
      see: /--volume "\$\{PWD\}"\/app-db\/etc\/my\.cnf:\/etc\/my\.cnf /,
    },
    "files.local": {
      ...accessory("files: [{local: my.cnf, remote: /etc/my.cnf}]"),
      files: { "my.cnf": "x" },
      see: /Upload my\.cnf/,
    },
    "files.remote": {
      ...accessory("files: [{local: my.cnf, remote: /etc/x.cnf}]"),
      files: { "my.cnf": "x" },
      see: /:\/etc\/x\.cnf /,
    },
    "files.mode": {
      ...accessory("files: [{local: my.cnf, remote: /etc/my.cnf, mode: '640'}]"),
      files: { "my.cnf": "x" },
      see: /chmod 640 app-db\/etc\/my\.cnf/,
    },
    "files.owner": {
      ...accessory("files: [{local: my.cnf, remote: /etc/my.cnf, owner: '9:9'}]"),
      files: { "my.cnf": "x" },
      see: /chown 9:9 app-db\/etc\/my\.cnf/,
    },
    "files.options": {
      ...accessory("files: [{local: my.cnf, remote: /etc/my.cnf, options: ro}]"),
      files: { "my.cnf": "x" },
      see: /app-db\/etc\/my\.cnf:\/etc\/my\.cnf:ro /,
    },
    "directories.local": {
      ...accessory("directories: [{local: data, remote: /data}]"),
      see: /--volume "\$\{PWD\}"\/app-db\/data:\/data /,
    },
    "directories.remote": { ...accessory("directories: [{local: data, remote: /x}]"), see: /app-db\/data:\/x / },
    "directories.mode": {
      ...accessory("directories: [{local: data, remote: /x, mode: '750'}]"),
      see: /chmod 750 app-db\/data/,
    },
    "directories.owner": {
      ...accessory("directories: [{local: /srv/data, remote: /x, owner: app}]"),
      see: /mkdir -p \/srv\/data\nchown app \/srv\/data/,
    },
    "directories.options": {
      ...accessory("directories: [{local: data, remote: /x, options: ro}]"),
      see: /app-db\/data:\/x:ro /,
    },
    directories: { ...accessory("directories: [data:/data:ro]"), see: /--volume "\$\{PWD\}"\/app-db\/data:\/data:ro / },
    volumes: { ...accessory("volumes: [/srv/b:/b]"), see: /--volume \/srv\/b:\/b / },
    network: { ...accessory("network: backs"), see: /make_network backs[^]*--network backs / },
    env: { ...accessory("env: {A: flat}"), see: /-e A=flat / },
  }),
  ...under(
    "accessories.*.env",
    env((more) => accessory(more), /docker run --name app-db/),
  ),
  ...under("accessories.*.registry", {
    server: {
      ...accessory("registry: {server: ghcr.io, username: u, password: p}"),
      see: /docker login ghcr\.io [^]*ghcr\.io\/redis:7/,
    },
    username: {
      ...accessory("registry: {server: ghcr.io, username: [WHO], password: p}"),
      see: /docker login ghcr\.io -u "?<WHO>/,
    },
    password: {
      ...accessory("registry: {server: ghcr.io, username: u, password: [TOKEN]}"),
      see: /<TOKEN>.*docker login ghcr\.io/,
    },
  }),
  ...under("accessories.*.proxy", accessoryProxy()),
  ...under(
    "proxy",
    proxy((more) => inKamal2(more), "proxy"),
  ),
  ...under("traefik", {
    image: { ...traefik("image: traefik:v3.1"), see: / traefik:v3\.1 / },
    host_port: { ...traefik("host_port: 8080"), see: /--publish 8080:80 / },
    publish: { ...traefik("publish: false"), gone: /--publish 80:80 / },
    args: { ...traefik("args: {accesslog: true}"), see: / --accesslog\); then/m },
    options: { ...traefik("options: {memory: 256m}"), see: /--name traefik .*--memory 256m / },
    labels: { ...traefik("labels: {team: shop}"), see: /--name traefik .*--label team=shop / },
    env: { ...traefik("env: {A: flat}"), see: /--name traefik .*-e A=flat / },
  }),
  ...under(
    "traefik.env",
    env((more) => traefik(more), /docker run --name traefik/),
  ),
  ...under("ssh", {
    user: { file: SSH, test: "user and port" },
    port: { file: SSH, test: "user and port" },
    proxy: { file: "test/ssh/session.test.ts", test: "many hosts behind a jump host" },
    proxy_command: { file: "test/ssh/session.test.ts", test: "a proxy command carries the connection" },
    keys: { file: "test/ssh/session.test.ts", test: "a refused key: the error names the keys that were tried" },
    keys_only: { file: SSH, test: "ssh.keys_only" },
    key_data: { file: SSH, test: "ssh.key_data" },
    config: { file: SSH, test: "ssh.config: all files count" },
    connect_timeout: { file: SSH, test: "ssh.connect_timeout" },
    forward_agent: { yaml: "ssh: {forward_agent: true}", see: noted("ssh.forward_agent") },
    log_level: { file: SSH, test: "ssh.log_level" },
  }),
  ...under("sshkit", {
    max_concurrent_starts: { file: SSH, test: "sshkit.max_concurrent_starts" },
    pool_idle_timeout: { file: SSH, test: "sshkit.pool_idle_timeout" },
    dns_retries: { yaml: "sshkit: {dns_retries: 2}", see: noted("sshkit.dns_retries") },
  }),
  hooks_output: { file: "test/flow/hook.test.ts", test: "hooks_output: quiet" },
  secrets_path: { yaml: "secrets_path: my/secrets", command: "config", see: /secrets_path: my\/secrets/ },
  error_pages_path: { yaml: "error_pages_path: public", see: noted("error_pages_path") },
  "output.otel.endpoint": { yaml: "output: {otel: {endpoint: x}}", see: noted("output.otel") },
  "output.file.path": { yaml: "output: {file: {path: log}}", see: noted("output.file") },
  hooks_path: {
    yaml: "hooks_path: deploy/hooks",
    files: { "deploy/hooks/pre-build": "" },
    see: /^localhost> .*> Hook pre-build: [^]*exec \/usr\/bin\/env deploy\/hooks\/pre-build$/m,
  },
  retain_containers: {
    ...OLD,
    yaml: "retain_containers: 2",
    see: /Prune containers \(web\): docker container rm (?:\S+ ){5}\|\|/,
  },
  run_directory: { yaml: "run_directory: .other", see: /\.other\/lock-app/ },
  primary_role: {
    base: "servers: {web: [10.0.0.1], api: [10.0.0.2]}",
    yaml: "servers: {web: [10.0.0.1], api: [10.0.0.2]}\nprimary_role: api",
    see: /^10\.0\.0\.2> Acquire the lock > /m,
  },
  allow_empty_roles: { file: "test/config/effects.test.ts", test: "allow_empty_roles" },
  require_destination: {
    file: "test/config/load.test.ts",
    test: "require_destination refuses a run without a destination",
  },
  minimum_version: { file: "test/config/minimum-version.test.ts", test: "minimum_version" },
  asset_path: {
    ...OLD,
    yaml: "asset_path: /app/assets",
    see: /Collect assets \(web\)[^]*docker run .*--volume \/root\/\.mrsk\/assets\/app-web-00000000:\/app\/assets /,
  },
  network: {
    ...OLD,
    yaml: "network: private",
    see: /make_network private[^]*join_networks traefik private[^]*docker run .*--network private /,
  },
  aliases: { file: "test/cli/aliases.test.ts", test: "an argument after the quoted command of an alias" },
  ...under("servers.*", {
    hosts: {
      ...role("cmd: x"),
      yaml: "servers: {web: {hosts: [10.0.0.7]}}",
      see: /^10\.0\.0\.7> Start > Start app-web-2/m,
    },
    cmd: { ...role("cmd: node 'a b.js'"), see: /acme\/app:2 node 'a b\.js'/ },
    env: { ...role("env: {A: flat}"), see: /docker run .*-e A=flat / },
    labels: { ...role("labels: {team: shop}"), see: /docker run .*--label team=shop / },
    options: { ...role("options: {memory: 1g, init: true}"), see: /--memory 1g --init acme\/app:2/ },
    stop_timeout: { ...OLD, ...role("stop_timeout: 21"), see: /Stop the old container.*\ndocker stop -t 21 / },
    traefik: { ...role("traefik: false"), gone: /traefik\.http\.routers\.app-web/ },
    asset_path: {
      ...role("asset_path: /app/own"),
      see: /--volume \/root\/\.mrsk\/assets\/app-web-00000000:\/app\/own /,
    },
    boot: { ...OLD, ...role("boot: {order: stop_first}"), see: /Switch > Stop the old container/ },
    "boot.order": { ...OLD, ...role("boot: {order: stop_first}"), see: /Switch > Stop the old container/ },
  }),
  ...under(
    "servers.*.proxy",
    proxy((more) => inKamal2(role(more).yaml), "servers/web/proxy"),
  ),
  ...under("servers.*.env", env(role, /docker run .*--name app-web-2/)),
  ...under("servers.*.healthcheck", healthcheck(role)),
  ...under("servers.*.logging", logging(role)),
};

/** `env: {…}` without the key. */
function inner(more: string): string {
  return more.replace(/^\w+: /, "");
}

function under<T>(path: string, effects: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(effects).map(([key, effect]) => [`${path}.${key}`, effect]));
}
