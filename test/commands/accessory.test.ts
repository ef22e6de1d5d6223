import { describe, expect, test } from "vitest";
import { AccessoryCommands } from "../../src/commands/accessory.ts";
import { Secret } from "../../src/config/env/secret.ts";
import type { Proxy } from "../../src/config/config.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";
import { accessory, config, line, proxy } from "../support/config.ts";
import { fake, fakeContainer, run } from "../support/fake-commands.ts";

const db = new AccessoryCommands(
  config(),
  accessory({
    cmd: "--max_connections=500 --sql-mode ''",
    env: { clear: new Map([["MYSQL_ROOT_HOST", "%"]]), secret: ["MYSQL_ROOT_PASSWORD"] },
    labels: new Map([["backup", "nightly"]]),
    options: new Map<string, string | true>([
      ["cpus", "4"],
      ["privileged", true],
    ]),
    files: [{ local: "files/my.cnf", remote: "/etc/mysql/my.cnf", mode: "640" }],
    directories: [
      { source: "data", target: "/var/lib/mysql", mountOptions: undefined },
      { source: "/srv/log", target: "/var/log", mountOptions: "ro" },
    ],
    volumes: ["$HOME/backups:/backups"],
    network: "private",
  }),
);
const secrets = new Map([["MYSQL_ROOT_PASSWORD", new Secret("MYSQL_ROOT_PASSWORD", "pw")]]);
const ON_HOST = { engine: "json-file", host: "192.0.2.9" };
const VOLUMES =
  '--volume "${HOME}"/backups:/backups --volume /home/d/app-db/etc/mysql/my.cnf:/etc/mysql/my.cnf ' +
  "--volume /home/d/app-db/data:/var/lib/mysql --volume /srv/log:/var/log:ro";

test("run", () => {
  expect(line(db.run("/home/d", secrets, ON_HOST))).toBe(
    "MYSQL_ROOT_PASSWORD=<MYSQL_ROOT_PASSWORD> docker run --name app-db --detach --restart unless-stopped " +
      "--network private --log-opt max-size=10m --publish 3306:3306 -e MYSQL_ROOT_PASSWORD -e MYSQL_ROOT_HOST=% " +
      `${VOLUMES} --label service=app-db --label backup=nightly --cpus 4 --privileged mysql:8.0 --max_connections=500 --sql-mode ''`,
  );
});

test("with the variables of Kamal 2, run names the host, and a variable of the accessory wins", () => {
  const env = { clear: new Map([["KAMAL_HOST", "own"]]), secret: [] };
  const cache = new AccessoryCommands(config({ kamalVariables: true }), accessory({ env }));
  expect(line(cache.run("/home/d", new Map(), ON_HOST))).toContain(" -e KAMAL_HOST=192.0.2.9 -e KAMAL_HOST=own ");
});

test("a home directory that the shell fills in", () => {
  expect(line(db.run("$PWD", secrets, ON_HOST))).toContain('--volume "${PWD}"/app-db/data:/var/lib/mysql');
});

test("the single commands", () => {
  expect([
    line(db.start()),
    line(db.stop()),
    line(db.details()),
    line(db.state()),
    line(db.removeContainer()),
    line(db.removeImage()),
    line(db.execReuse(["mysql"], { streams: "terminal" })),
    line(db.execNew("/home/d", ["mysql", "-e", "show tables"], secrets)),
    line(db.execNew("/home/d", ["bash"], secrets, { streams: "terminal" })),
  ]).toEqual([
    "docker container start app-db",
    "docker container stop app-db",
    "docker ps --filter 'name=^app-db$'",
    "docker inspect --type container --format '{{.State.Status}}' app-db 2>/dev/null || true",
    `[ -z "$(docker inspect --type container --format '{{.State.Status}}' app-db 2>/dev/null || true)" ] || docker container rm app-db`,
    "docker image rm --force mysql:8.0",
    "docker exec -it app-db mysql",
    `MYSQL_ROOT_PASSWORD=<MYSQL_ROOT_PASSWORD> docker run --rm --network private -e MYSQL_ROOT_PASSWORD -e MYSQL_ROOT_HOST=% ${VOLUMES} mysql:8.0 mysql -e 'show tables'`,
    `MYSQL_ROOT_PASSWORD=<MYSQL_ROOT_PASSWORD> docker run -it --rm --network private -e MYSQL_ROOT_PASSWORD -e MYSQL_ROOT_HOST=% ${VOLUMES} mysql:8.0 bash`,
  ]);
});

test("files and directories are in the accessory's folder of the home directory", () => {
  expect(line(db.createDirectories())).toBe(":\nmkdir -p app-db/data");
  expect(line(db.upload("/etc/mysql/my.cnf", "640", new Secret("my.cnf", "")))).toBe(
    `mkdir -p app-db/etc/mysql
rm -f app-db/etc/mysql/my.cnf.new; (umask 077; printf '%s' <my.cnf> | base64 -d >app-db/etc/mysql/my.cnf.new)
chmod 640 app-db/etc/mysql/my.cnf.new
mv -f app-db/etc/mysql/my.cnf.new app-db/etc/mysql/my.cnf`,
  );
  expect(line(db.removeDirectory())).toBe(
    "rm -rf app-db 2>/dev/null || docker run --rm --user 0 --entrypoint sh " +
      `--volume "$PWD":/home-of-login mysql:8.0 -c 'rm -rf '\\''/home-of-login/app-db'\\'''`,
  );
});

test("with the option rm it has no restart policy: docker would refuse both", () => {
  const fleeting = new AccessoryCommands(config(), accessory({ options: new Map([["rm", true]]) }));
  expect(line(fleeting.run("/home/d", new Map(), ON_HOST))).not.toContain("--restart");
});

describe("an accessory with a section proxy", () => {
  const search = (section: Partial<Proxy> = {}, more: Parameters<typeof accessory>[0] = {}) =>
    new AccessoryCommands(
      config({ deployTimeoutSeconds: 1 }),
      accessory({ publish: undefined, proxy: proxy({ hosts: ["a.b"], ...section }), ...more }),
    );

  test("has Traefik's labels with the name of its service, and the user's labels win", () => {
    const labels = new Map([["traefik.http.routers.app-db.priority", "7"]]);
    expect(line(search({ pathPrefixes: ["/x"] }, { labels }).run("/home/d", new Map(), ON_HOST))).toBe(
      "docker run --name app-db --detach --restart unless-stopped --log-opt max-size=10m --label service=app-db " +
        "--label traefik.http.services.app-db.loadbalancer.server.scheme=http " +
        "--label 'traefik.http.routers.app-db.rule=(Host(`a.b`)) && (Path(`/x`) || PathPrefix(`/x/`))' " +
        "--label traefik.http.middlewares.app-db-retry.retry.attempts=5 " +
        "--label traefik.http.middlewares.app-db-retry.retry.initialinterval=500ms " +
        "--label traefik.http.routers.app-db.middlewares=app-db-forwarded@docker,app-db-retry@docker,app-db-strip@docker " +
        "--label traefik.http.services.app-db.loadbalancer.server.port=80 " +
        "--label traefik.http.middlewares.app-db-forwarded.headers.customrequestheaders.Forwarded " +
        "--label traefik.http.middlewares.app-db-strip.stripprefix.prefixes=/x " +
        "--label traefik.http.routers.app-db.priority=7 mysql:8.0",
    );
  });

  /** A curl that prints this status line, and fails for any other request than that of the health check. */
  const answers = (status: string) =>
    fake(
      "curl",
      `case "$*" in
*"-m 5 "*"-H Host: localhost:80 http://172.18.0.3:80/up?a=1") printf 'HTTP/1.1 %s\\r\\n\\r\\n' '${status}' ;;
*) exit 7 ;;
esac`,
    );
  const section = proxy({ healthcheck: { path: "/up?a=1", intervalSeconds: 0.1, timeoutSeconds: 5 } });
  const wait = () => run(search().waitForAnswer(section));

  test("is ready when it answers at its own address with a 2xx", () => {
    answers("204 No Content");
    for (const state of ["running//172.18.0.3 ", "running/healthy/172.18.0.3 "]) {
      fakeContainer(state);
      expect(wait().status).toBe(0);
    }
  });

  test.each([
    ["302 Found", "running//172.18.0.3 ", "HTTP/1.1 302 Found"],
    ["200 OK", "running/starting/172.18.0.3 ", "HTTP/1.1 200 OK"],
    ["200 OK", "running//172.18.0.4 ", "none"],
    ["200 OK", "restarting//", "none"],
  ])("an answer %s of a container %s is not good, and diagnostics are printed", (status, state, last) => {
    answers(status);
    fakeContainer(state);
    const result = wait();
    expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
    expect(result.stderr).toContain(`No good answer at port 80, /up?a=1, after 1 s. The last one: ${last}`);
    expect(result.stderr).toContain("last words");
  });

  test("a container that has stopped ends the wait immediately", () => {
    answers("200 OK");
    fakeContainer("exited//");
    const result = run(new AccessoryCommands(config({ deployTimeoutSeconds: 60 }), accessory()).waitForAnswer(section));
    expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
    expect(result.stderr).toContain("The container does not run: exited");
  });
});
