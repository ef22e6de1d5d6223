import { expect, test } from "vitest";
import { AccessoryCommands } from "../../src/commands/accessory.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { accessory, config, line } from "../support/config.ts";

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
