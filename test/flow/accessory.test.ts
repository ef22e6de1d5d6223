import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Accessory } from "../../src/config/config.ts";
import {
  accessoryDetails,
  bootAccessory,
  createAccessoryDirectories,
  rebootAccessory,
  removeAccessory,
  removeAccessoryContainer,
  removeAccessoryDirectory,
  removeAccessoryImage,
  restartAccessory,
  startAccessory,
  stopAccessory,
  uploadAccessory,
} from "../../src/flow/accessory.ts";
import type { Run } from "../../src/flow/run.ts";
import { ExitCode } from "../../src/errors.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";
import { accessoryLabels } from "../../src/traefik/labels.ts";
import { accessory, config, proxy } from "../support/config.ts";
import { type Machine, machine } from "../support/fake-docker.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost } from "../support/world.ts";

/** A run whose servers are one real shell. */
function runOn(here: Machine, overrides: Partial<Accessory> = {}): FakeRun {
  const db = accessory({ image: "registry.test/db:1", ...overrides });
  const base = config();
  const registry = { ...base.registry, server: "registry.test" };
  return fakeRun({ ...base, registry, accessories: [db] }, { host: () => here.host, cwd: here.home });
}

/** @param state docker's state of the accessory's container; empty: no container */
const docker = (state: string, more = "") =>
  `case "$*" in
  "inspect --type container --format {{.State.Status}} app-db") [ -z "${state}" ] || echo ${state} ;;
  ${more}
esac`;

const changes = (here: Machine) => here.calls().filter((words) => !words.startsWith("inspect"));

test("boot creates directories, uploads files, logs in if the image is from the configured registry, and starts", async () => {
  const here = machine(docker(""));
  writeFileSync(join(here.home, "my.cnf"), "[mysqld]\n");
  const run = runOn(here, {
    directories: [
      { source: "data", target: "/var/lib/mysql", mountOptions: undefined },
      { source: "/srv/abs", target: "/abs", mountOptions: "ro" },
    ],
    files: [{ local: "my.cnf", remote: "/etc/mysql/my.cnf", mode: "640" }],
  });
  await bootAccessory(run, "db");
  expect(statSync(join(here.home, "app-db/data")).isDirectory()).toBe(true);
  expect(readFileSync(join(here.home, "app-db/etc/mysql/my.cnf"), "utf8")).toBe("[mysqld]\n");
  expect(statSync(join(here.home, "app-db/etc/mysql/my.cnf")).mode & 0o777).toBe(0o640);
  const [login, , started] = changes(here);
  expect(login).toBe("login registry.test -u pw --password-stdin");
  expect(started).toMatch(/^run --name app-db --detach .*--publish 3306:3306/);
  expect(started).toContain(`--volume ${here.home}/app-db/data:/var/lib/mysql`);
  expect(started).toContain("--volume /srv/abs:/abs:ro");
  expect(run.events).toContainEqual({ kind: "note", host: "localhost", text: "started app-db" });
});

test("boot changes nothing of a running accessory, including files and audit log", async () => {
  const here = machine(docker("running"));
  writeFileSync(join(here.home, "my.cnf"), "[mysqld]\n");
  const run = runOn(here, {
    image: "mysql:8.0",
    files: [{ local: "my.cnf", remote: "/etc/mysql/my.cnf", mode: "755" }],
  });
  await bootAccessory(run, "all");
  expect(changes(here)).toEqual([]);
  expect(existsSync(join(here.home, "app-db"))).toBe(false);
  expect(existsSync(join(here.home, "mrsk-app-audit.log"))).toBe(false);
  expect(run.events).toContainEqual(expect.objectContaining({ text: "app-db is already running" }) as object);
});

test("boot starts a stopped container unchanged", async () => {
  const here = machine(docker("exited"));
  await bootAccessory(runOn(here, { image: "mysql:8.0" }), "db");
  expect(changes(here)).toEqual(["container start app-db"]);
});

test("reboot logs in and pulls before it stops anything", async () => {
  // The container exists until it is removed.
  const here = machine(
    `gone=$(dirname "$0")/gone
case "$*" in
  inspect*app-db) [ -e "$gone" ] || echo exited ;;
  "container rm app-db") : >"$gone" ;;
esac`,
  );
  await rebootAccessory(runOn(here), "db");
  const short = changes(here).map((words) => words.split(" ").slice(0, 3).join(" "));
  expect(short).toEqual([
    "login registry.test -u",
    "pull registry.test/db:1",
    "container stop app-db",
    "container rm app-db",
    "login registry.test -u",
    "info --format {{.LoggingDriver}}",
    "run --name app-db",
  ]);
});

test("a reboot whose pull fails stops nothing, unless the host has the image", async () => {
  const pulls = (present: boolean) =>
    docker("running", `pull*) echo "no such host" >&2; exit 1 ;;\n"image inspect"*) exit ${present ? 0 : 1} ;;`);
  const without = machine(pulls(false));
  await expect(rebootAccessory(runOn(without), "db")).rejects.toThrow("no such host");
  expect(changes(without).some((words) => words.startsWith("container"))).toBe(false);
  const present = machine(pulls(true));
  await rebootAccessory(runOn(present), "db");
  expect(changes(present)).toContain("container stop app-db");
});

test("the hidden subcommands work on their own", async () => {
  const here = machine(docker("exited"));
  writeFileSync(join(here.home, "init.sql.erb"), "-- <%= ENV['GREETING'] %>\n");
  const run = runOn(here, {
    env: { clear: new Map([["GREETING", "hello"]]), secret: [] },
    directories: [{ source: "data", target: "/data", mountOptions: undefined }],
    files: [{ local: "init.sql.erb", remote: "/init.sql", mode: "755" }],
  });
  await createAccessoryDirectories(run, "db");
  await uploadAccessory(run, "db");
  expect(existsSync(join(here.home, "app-db/data"))).toBe(true);
  expect(readFileSync(join(here.home, "app-db/init.sql"), "utf8")).toBe("-- hello\n");
  await removeAccessoryContainer(run, "db");
  await removeAccessoryImage(run, "db");
  await removeAccessoryDirectory(run, "db");
  expect(existsSync(join(here.home, "app-db"))).toBe(false);
  expect(changes(here)).toEqual(["container rm app-db", "image rm --force registry.test/db:1"]);
});

test("without a container start fails and stop does not; restart is both", async () => {
  const here = machine('case "$*" in "container st"*) echo "No such container" >&2; exit 1 ;; esac');
  await stopAccessory(runOn(here), "db");
  await expect(startAccessory(runOn(here), "db")).rejects.toThrow("No such container");
  const there = machine();
  await restartAccessory(runOn(there), "db");
  expect(changes(there)).toEqual(["container stop app-db", "container start app-db"]);
});

test("boot uploads a folder with its files, which keep their modes and are not rendered", async () => {
  const here = machine(docker(""));
  mkdirSync(join(here.home, "conf/sub"), { recursive: true });
  writeFileSync(join(here.home, "conf/a.erb"), "<%= 1 %>\n");
  writeFileSync(join(here.home, "conf/sub/start"), "#!/bin/sh\n");
  chmodSync(join(here.home, "conf/a.erb"), 0o640);
  chmodSync(join(here.home, "conf/sub/start"), 0o755);
  const run = runOn(here, { files: [{ local: "conf", remote: "/etc/db", mode: "700", mountOptions: "ro" }] });
  await bootAccessory(run, "db");
  const uploaded = join(here.home, "app-db/etc/db");
  expect(readFileSync(join(uploaded, "a.erb"), "utf8")).toBe("<%= 1 %>\n");
  const modes = ["", "a.erb", "sub/start"].map((name) => statSync(join(uploaded, name)).mode & 0o777);
  expect(modes).toEqual([0o700, 0o640, 0o755]);
  expect(changes(here).at(-1)).toContain(`--volume ${uploaded}:/etc/db:ro `);
});

test("in a Kamal 2 project, each container of an accessory gets the name of its host", async () => {
  const hosts = ["192.0.2.1", "192.0.2.9"];
  const run = fakeRun(config({ kamalVariables: true, accessories: [accessory({ hosts })] }));
  await bootAccessory(run, "db");
  const named = hosts.map((host) => /KAMAL_HOST=\S+/.exec(run.hosts.get(host)!.texts.join("\n"))?.[0]);
  expect(named).toEqual(["KAMAL_HOST=192.0.2.1", "KAMAL_HOST=192.0.2.9"]);
});

test("a missing local file is an error, and nothing is started", async () => {
  const here = machine(docker(""));
  const run = runOn(here, { files: [{ local: "nosuch.cnf", remote: "/x", mode: "755" }] });
  await expect(bootAccessory(run, "db")).rejects.toThrow("accessories/db/files: there is no file nosuch.cnf");
  expect(changes(here)).toEqual([]);
});

const fleet = () =>
  fakeRun(
    config({
      accessories: [
        accessory({ hosts: ["192.0.2.1", "192.0.2.9"] }),
        accessory({ name: "cache", service: "app-cache", hosts: ["192.0.2.9"] }),
      ],
    }),
  );

test("an accessory runs on all its hosts, and details name the host", async () => {
  const run = fleet();
  for (const host of ["192.0.2.1", "192.0.2.9"]) {
    run.host(host);
    run.hosts
      .get(host)!
      .replies(/name=\^app-db\$/, `db of ${host}`)
      .replies(/name=\^app-cache\$/, "a cache");
  }
  await accessoryDetails(run, "all");
  expect(run.printed).toEqual([
    "Accessory db Host: 192.0.2.1\ndb of 192.0.2.1\n\n",
    "Accessory db Host: 192.0.2.9\ndb of 192.0.2.9\n\n",
    "Accessory cache Host: 192.0.2.9\na cache\n\n",
  ]);
});

test("--hosts selects accessories: all means those with a selected host, a name without one is an error", async () => {
  const run: Run & FakeRun = fleet();
  const only = { ...run, filters: { hosts: ["192.0.2.1"], roles: undefined, primary: false } };
  await accessoryDetails(only, "all");
  expect(run.printed).toEqual(["Accessory db Host: 192.0.2.1\n\n\n"]);
  await expect(stopAccessory(only, "cache")).rejects.toMatchObject({
    exitCode: 2,
    message: "No selected host runs the accessory cache",
    hint: "These do: 192.0.2.9.",
  });
});

test("an unknown accessory is an error that lists the known ones, and nothing is changed", async () => {
  const run = fleet();
  for (const act of [bootAccessory, rebootAccessory, stopAccessory, accessoryDetails]) {
    await expect(act(run, "redis")).rejects.toMatchObject({
      exitCode: 2,
      message: "No accessory by the name of 'redis'",
      hint: "There is: db, cache.",
    });
  }
  expect([...run.hosts.values()].flatMap(({ steps }) => steps.filter((step) => !step.includes("lock")))).toEqual([]);
});

test("without accessories, all selects none, without a question", async () => {
  const run = fakeRun(config(), { confirm: () => Promise.reject(new Error("asked")) });
  await removeAccessory(run, "all", { confirmed: false });
  expect(run.printed).toEqual(["There are no accessories\n"]);
});

test("remove asks once, before the lock", async () => {
  const asked: string[] = [];
  const run = fleet();
  const refusing = { ...run, confirm: async (question: string) => asked.push(question) < 0 };
  await removeAccessory(refusing, "all", { confirmed: false });
  expect(asked).toEqual(["This will remove all containers, images and data directories for db, cache. Are you sure?"]);
  expect(run.printed).toEqual(["Aborted\n"]);
  expect([...run.hosts.values()].flatMap(({ steps }) => steps)).toEqual([]);
});

describe("an accessory with a section proxy", () => {
  const given = () => config({ network: "kamal", accessories: [accessory({ proxy: proxy({ hosts: ["a.b"] }) })] });
  const HOST = "192.0.2.9";

  test("boot starts Traefik on its host first, and waits until it is healthy", async () => {
    const run = fakeRun(given());
    const host = aHost(HOST).fake(run);
    await bootAccessory(run, "db");
    const seen = host.transcript.filter((line) =>
      /docker run|docker inspect --type container --format '{{json|wait_/.test(line),
    );
    expect(seen.map((line) => line.slice(0, line.indexOf(":")))).toEqual([
      "Boot Traefik > Start Traefik",
      "Boot the accessory > Labels",
      "Boot the accessory > Start app-db",
      "Boot the accessory > Wait until healthy",
    ]);
    expect(run.events).toContainEqual({ kind: "note", host: HOST, text: "Traefik started" });
  });

  test("a running Traefik stays, and joins the network", async () => {
    const run = fakeRun(given());
    const host = aHost(HOST).behindTraefik().fake(run);
    await bootAccessory(run, "db");
    expect(host.transcript).toContain(
      "Connect Traefik > Put Traefik on the network kamal: join_networks traefik kamal",
    );
    expect(host.steps).not.toContain("Start Traefik");
  });

  test.each([
    [
      { canProbe: false },
      {},
      "the host has neither curl nor wget to check an accessory: run `mrsk server bootstrap` first",
    ],
    [{}, { args: ["--providers.docker.exposedbydefault=false"] }, "Traefik would not route to the accessory db: "],
    [
      { listeners: new Map([[80, "nginx (process 12)"]]) },
      undefined,
      "port 80, which Traefik needs, is taken by nginx",
    ],
  ])("boot refuses before any change: %j, %j", async (facts, traefik, message) => {
    const run = fakeRun(given());
    const world = aHost(HOST).with(facts);
    const host = (traefik === undefined ? world : world.behindTraefik(traefik)).fake(run);
    await expect(bootAccessory(run, "db")).rejects.toThrow(`${HOST}: ${message}`);
    expect(host.scripts.map(({ title }) => title)).toEqual(["Observe the host"]);
  });

  test("a reboot that Traefik's settings refuse stops nothing", async () => {
    const run = fakeRun(given());
    const host = aHost(HOST)
      .behindTraefik({ args: ["--providers.docker.exposedbydefault=false"] })
      .fake(run);
    await expect(rebootAccessory(run, "db")).rejects.toThrow("Traefik would not route to the accessory db: ");
    expect(host.scripts.map(({ title }) => title)).toEqual(["Observe the host"]);
  });

  test("boot fails with the diagnostics of an accessory that does not become healthy", async () => {
    const run = fakeRun(given());
    aHost(HOST)
      .behindTraefik()
      .fake(run)
      .replies(/^Wait until healthy$/, "its last words", ExitStatus.NOT_HEALTHY);
    const boot = bootAccessory(run, "db");
    await expect(boot).rejects.toThrow(`${HOST}: the accessory db did not become healthy\nits last words`);
    await expect(boot).rejects.toMatchObject({ exitCode: ExitCode.unhealthy });
  });

  test("boot reports a container from before a change of the section", async () => {
    const run = fakeRun(given());
    const host = aHost(HOST)
      .behindTraefik()
      .fake(run)
      .replies(/^State$/, "running");
    host.replies(/^Labels$/, '{"service":"app-db","traefik.http.routers.app-db.rule":"Host(`old.b`)"}');
    await bootAccessory(run, "db");
    const text = "app-db runs with other settings of proxy. `mrsk accessory reboot db` replaces it.";
    expect(run.events).toContainEqual({ kind: "note", host: HOST, text });
  });

  test("boot does not report a container with the settings of the section", async () => {
    const run = fakeRun(given());
    const host = aHost(HOST)
      .behindTraefik()
      .fake(run)
      .replies(/^State$/, "running");
    host.replies(/^Labels$/, JSON.stringify(Object.fromEntries(accessoryLabels(given(), given().accessories[0]!))));
    await bootAccessory(run, "db");
    expect(run.events).not.toContainEqual(
      expect.objectContaining({ text: expect.stringContaining("other settings") as string }),
    );
  });
});
