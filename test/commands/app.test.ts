import { expect, test } from "vitest";
import {
  AppCommands,
  type Launch,
  listContainers,
  listImages,
  logs,
  removeImages,
  tagLatest,
} from "../../src/commands/app.ts";
import { redact } from "../../src/script/command.ts";
import { roleLabels } from "../../src/traefik/labels.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { config, line, role } from "../support/config.ts";

const plain = config();
const web = plain.roles[0]!;

function launch(overrides: Partial<Launch> = {}): Launch {
  return {
    name: "app-web-999",
    version: "999",
    host: "1.1.1.1",
    suffix: "0123456789ab",
    labels: roleLabels(plain, web),
    secrets: new Map(),
    restart: "unless-stopped",
    startInterval: false,
    logDriver: "json-file",
    healthcheck: true,
    ...overrides,
  };
}

test("run gives MRSK's line, quoted once", () => {
  expect(line(new AppCommands(plain, web).run(launch()))).toBe(
    "docker run --detach --restart unless-stopped --name app-web-999 --hostname 1.1.1.1-0123456789ab " +
      "-e MRSK_CONTAINER_NAME=app-web-999 -e MRSK_VERSION=999 " +
      "--health-cmd 'curl -f http://localhost:3000/up || exit 1' --health-interval 1s --log-opt max-size=10m " +
      "--label service=app --label role=web " +
      "--label traefik.http.services.app-web.loadbalancer.server.scheme=http " +
      "--label 'traefik.http.routers.app-web.rule=PathPrefix(`/`)' " +
      "--label traefik.http.middlewares.app-web-retry.retry.attempts=5 " +
      "--label traefik.http.middlewares.app-web-retry.retry.initialinterval=500ms " +
      "--label traefik.http.routers.app-web.middlewares=app-web-retry@docker dhh/app:999",
  );
});

test("the environment of docker run carries secrets, arguments and logs do not", () => {
  const jobs = role({
    name: "jobs",
    traefik: false,
    healthcheck: undefined,
    env: { clear: new Map([["LEVEL", "info"]]), secret: ["TOKEN"] },
    cmd: "bin/jobs --name 'two words'",
    options: new Map<string, string | true | string[]>([
      ["cpus", "2"],
      ["init", true],
      ["ulimit", ["a=1", "b=2"]],
    ]),
  });
  const run = new AppCommands(plain, jobs).run(
    launch({ labels: new Map([["empty", ""]]), secrets: new Map([["TOKEN", new Secret("TOKEN", "s3cr3t")]]) }),
  );
  expect(line(run)).toBe(
    "TOKEN=<TOKEN> docker run --detach --restart unless-stopped --name app-web-999 --hostname 1.1.1.1-0123456789ab " +
      "-e MRSK_CONTAINER_NAME=app-web-999 -e MRSK_VERSION=999 -e TOKEN -e LEVEL=info --log-opt max-size=10m --label empty " +
      "--cpus 2 --init --ulimit a=1 --ulimit b=2 dhh/app:999 bin/jobs --name 'two words'",
  );
  expect(redact(run)).not.toContain("s3cr3t");
  expect(redact(run)).toMatch(/^docker run /);
});

test("an empty clear value is an empty value, not the host's variable of that name", () => {
  const app = new AppCommands(plain, role({ env: { clear: new Map([["EMPTY", ""]]), secret: [] } }));
  expect(line(app.run(launch()))).toContain(" -e EMPTY= ");
});

test("the host part of the host name has at most 51 characters, no user, no port and no colon", () => {
  const app = new AppCommands(plain, web);
  const long = `deploy@${"a".repeat(49)}.example.com:2222`;
  expect(line(app.run(launch({ host: long })))).toContain(`--hostname ${"a".repeat(49)}.e-0123456789ab `);
  expect(line(app.run(launch({ host: "[2001:db8::7]:22" })))).toContain("--hostname 2001-db8--7-0123456789ab ");
  for (const [host, name] of [
    ["::1", "1"],
    ["[::ffff:192.0.2.7]:22", "ffff-192.0.2.7"],
    ["me@corp@_web1", "web1"],
    ["::", "host"],
  ] as const)
    expect(line(app.run(launch({ host })))).toContain(`--hostname ${name}-0123456789ab `);
});

test("the host's shell replaces ${NAME} in variables, options and volumes, and nothing else", () => {
  const app = new AppCommands(
    config({ volumes: ["$PWD/data dir:/data", "~/x:/x"] }),
    role({
      env: { clear: new Map([["A", "x ${HOSTNAME} $(id) $HOME"]]), secret: [] },
      options: new Map([["memory", '${MEM:-1"g}']]),
    }),
  );
  const text = line(app.run(launch({ labels: new Map([["l", "${LEFT}"]]) })));
  expect(text).toContain(`-e 'A=x '"\${HOSTNAME}"' $(id) $HOME'`);
  expect(text).toContain(String.raw`--memory "${"$"}{MEM:-1\"g}"`);
  expect(text).toContain(`--volume "\${PWD}"'/data dir:/data' --volume "\${HOME}"/x:/x`);
  expect(text).toContain("--label 'l=${LEFT}'");
});

test("an engine of API 1.44 checks every 200 ms while the app starts", () => {
  expect(line(new AppCommands(plain, web).run(launch({ startInterval: true })))).toContain(
    "--health-interval 1s --health-start-period 28s --health-start-interval 200ms ",
  );
  expect(line(new AppCommands(plain, web).run(launch({ healthcheck: false })))).not.toContain("--health");
});

test("commands for one container name it", () => {
  const app = new AppCommands(config({ network: "private" }), web);
  expect(line(app.start("app-web-1"))).toBe("docker start app-web-1");
  expect(line(app.rename("app-web-1", "app-web-1_replaced_0011223344556677"))).toBe(
    "docker rename app-web-1 app-web-1_replaced_0011223344556677",
  );
  expect(line(app.remove("app-web-1"))).toBe("docker container rm app-web-1");
  expect(line(app.run(launch()))).toContain(" --network private ");
});

test("listing and tagging", () => {
  expect(line(listContainers(plain))).toBe("docker container ls --all --filter label=service=app");
  expect(line(new AppCommands(plain, web).details())).toBe(
    "docker ps --filter label=service=app --filter label=role=web",
  );
  expect(line(listImages(plain))).toBe("docker image ls dhh/app");
  expect(line(tagLatest(plain, "999"))).toBe("docker tag dhh/app:999 dhh/app:latest");
  expect(line(removeImages(plain))).toBe("remove_images app dhh/app dhh/app:latest");
});

test("logs", () => {
  expect(line(logs("app-web-1", { since: "1h", lines: 5 }))).toBe("docker logs --since 1h --tail 5 app-web-1 2>&1");
  expect(line(logs("app-web-1", { grep: "a b", grepOptions: "-i -A 2" }))).toBe(
    "docker logs app-web-1 2>&1 | grep -i -A 2 -e 'a b'",
  );
  expect(line(logs("app-web-1", { follow: true, timestamps: true, lines: 10, grep: "-x" }))).toBe(
    "docker logs --tail 10 --timestamps --follow app-web-1 2>&1 | " +
      "grep $(echo y | grep -q --line-buffered y 2>/dev/null && echo --line-buffered) -e -x",
  );
});

test("exec in the running container and in a new one", () => {
  const jobs = role({ env: { clear: new Map([["LEVEL", "info"]]), secret: ["TOKEN"] } });
  const app = new AppCommands(config({ volumes: ["/a:/b"], network: "private" }), jobs);
  const secrets = new Map([["TOKEN", new Secret("TOKEN", "x")]]);
  const env = new Map([["A", new Secret("A", "b c")]]);
  expect(line(app.execReuse("app-web-1", ["bin/console"], { streams: "terminal", env }))).toBe(
    "A=<A> docker exec -it -e A app-web-1 bin/console",
  );
  expect(line(app.execReuse("app-web-1", ["psql"], { streams: "input" }))).toBe("docker exec -i app-web-1 psql");
  expect(line(app.execNew("1", ["echo", "$x"], secrets, { env }))).toBe(
    "TOKEN=<TOKEN> A=<A> docker run --rm --network private -e TOKEN -e LEVEL=info --volume /a:/b -e A dhh/app:1 echo '$x'",
  );
  const container = { name: "app-jobs-exec-1", service: "app" };
  expect(line(app.execNew("1", ["bash"], secrets, { streams: "terminal", container }))).toBe(
    "TOKEN=<TOKEN> docker run -it --rm --name app-jobs-exec-1 --label mrsk.exec=app --network private -e TOKEN -e LEVEL=info --volume /a:/b dhh/app:1 bash",
  );
});

test("a variable of the command wins over the secret of its name, and a variable that docker reads itself is an argument", () => {
  const app = new AppCommands(config(), role({ env: { clear: new Map(), secret: ["TOKEN"] } }));
  const env = new Map<string, string | Secret>([
    ["TOKEN", new Secret("mine", "y")],
    ["PATH", "/bin"],
  ]);
  expect(line(app.execNew("1", ["env"], new Map([["TOKEN", new Secret("TOKEN", "x")]]), { env }))).toBe(
    "TOKEN=<mine> docker run --rm -e TOKEN -e TOKEN -e PATH=/bin dhh/app:1 env",
  );
});

test.each([
  ["the network of another container", { network: "container:vpn" }, {}],
  ["the same among the role's options", {}, { network: "container:vpn" }],
  ["the host's own name", {}, { uts: "host" }],
])("a container that shares %s gets no host name: docker would refuse it", (_, settings, options) => {
  const shared = role({ options: new Map(Object.entries(options)) });
  expect(line(new AppCommands(config(settings), shared).run(launch()))).not.toContain("--hostname");
});
