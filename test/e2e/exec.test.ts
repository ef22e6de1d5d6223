import { createHash } from "node:crypto";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, lab, onServer, PROGRAM, Project, succeeded, sweep } from "./project.ts";

const A = lab["LAB_A"]!;
const B = lab["LAB_B"]!;
const MEGABYTES = 50;

describe("commands and logs on several hosts", () => {
  const project = new Project("exec");
  let version = "";

  beforeAll(async () => {
    await sweep("a", "b");
    project.configure({
      servers: { web: [A, B], jobs: { hosts: [A], cmd: "node server.js", env: { clear: { ROLE: "jobs" } } } },
      env: { clear: { ROLE: "web" } },
      readiness_delay: 1,
      healthcheck: { path: "/up", port: 3000 },
      accessories: { db: { image: "postgres:14", host: B, env: { clear: { POSTGRES_HOST_AUTH_METHOD: "trust" } } } },
    });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    version = await project.commit("Exec");
    succeeded(await project.mrsk("setup"));
  });
  afterAll(() => sweep("a", "b"));

  describe("exec", () => {
    test("with several hosts each line begins with the host, and the streams stay separate", async () => {
      const ran = succeeded(await project.mrsk("app", "exec", "sh -c 'echo $ROLE; echo aside >&2; printf end'"));
      expect(ran.stdout.split("\n").toSorted()).toEqual([`${A} | end`, `${A} | web`, `${B} | end`, `${B} | web`]);
      expect(ran.stderr.split("\n")).toEqual(expect.arrayContaining([`${A} | aside`, `${B} | aside`]));
      expect(ran.stderr).toContain(`Launching command with version ${version} from new container...`);
    });

    test("an unquoted command arrives word by word, its own options too", async () => {
      const words = ["sh", "-c", 'printf "<%s>" "$@"', "-v", "a  b", "$HOME", "--reuse", "it's"];
      const arrived = "<a  b><$HOME><--reuse><it's>";
      expect(succeeded(await project.mrsk("app", "exec", "-p", "-r", "web", "--raw", ...words)).stdout).toBe(arrived);
      expect(succeeded(await project.mrsk("accessory", "exec", "db", "--reuse", "--raw", ...words)).stdout).toBe(
        arrived,
      );
      expect(succeeded(await project.mrsk("server", "exec", "-h", A, "--raw", "--", ...words)).stdout).toBe(arrived);
    });

    test("two roles of one host have different prefixes", async () => {
      const ran = succeeded(await project.mrsk("app", "exec", "--reuse", "printenv ROLE"));
      expect(ran.stdout.split("\n").toSorted()).toEqual([`${A} jobs | jobs`, `${A} web | web`, `${B} | web`]);
    });

    test("the output of one host is a block, with --raw only the bytes", async () => {
      expect(succeeded(await project.mrsk("app", "exec", "-r", "jobs", "printenv ROLE")).stdout).toBe(
        `App Host: ${A}\njobs\n`,
      );
      expect(succeeded(await project.mrsk("app", "exec", "-p", "-r", "web", "--raw", "printf %s bytes")).stdout).toBe(
        "bytes",
      );
      expect((await project.mrsk("app", "exec", "--raw", "true")).stderr).toContain("--raw is for one container");
    });

    test("the exit status is that of the first host that fails, and each failed host is named", async () => {
      const ran = await project.mrsk("app", "exec", "--reuse", "-r", "web", "sh -c 'exit 9'");
      expect(ran.status).toBe(9);
      expect(ran.stderr).toContain(
        `${A}: the command ended with exit status 9\n${B}: the command ended with exit status 9`,
      );
      expect((await project.mrsk("server", "exec", "-h", B, "exit 11")).status).toBe(11);
    });

    test("server exec runs the command in a shell, also on accessory hosts", async () => {
      const ran = succeeded(await project.mrsk("server", "exec", `false; echo "it's $(hostname | wc -l)" 'a  b'`));
      expect(ran.stdout.split("\n").toSorted()).toEqual([A, B].map((host) => `${host} | it's 1 a  b`).toSorted());
      const wrong = await project.mrsk("server", "exec", "-h", A, "if true");
      expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringMatching(/syntax error/i)]);
    });

    test("output is printed while the command runs", async () => {
      const running = project.start("app", "exec", "-p", "-r", "web", "--reuse", "sh -c 'echo first; sleep 1000'");
      await says(running.stdout, "first");
      running.kill("SIGINT");
      expect((await running).exitCode).toBe(130);
    });

    test("a new container is removed on an interruption", async () => {
      const running = project.start(
        "app",
        "exec",
        "-p",
        "-r",
        "web",
        "sh -c 'trap : TERM; echo first; while :; do sleep 1; done'",
      );
      await says(running.stdout, "first");
      expect(await onServer("a", "docker ps -q --filter label=mrsk.exec=exec")).not.toBe("");
      running.kill("SIGINT");
      expect((await running).exitCode).toBe(130);
      await until(async () => (await onServer("a", "docker ps -aq --filter label=mrsk.exec=exec")) === "");
    });

    test(`${MEGABYTES} MB of any bytes pass through a pipe in and out unchanged`, async () => {
      const file = join(project.folder, "big");
      await execa("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", `count=${MEGABYTES}`]);
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
      const sum = hash.digest("hex");
      const there = succeeded(
        await project.mrskWithInput("big", "accessory", "exec", "--reuse", "--raw", "db", "sha256sum"),
      );
      expect(there.stdout).toBe(`${sum}  -`);
      const line = `node "$0" accessory exec --reuse --raw db cat <big | sha256sum`;
      const back = await execa("bash", ["-o", "pipefail", "-c", line, PROGRAM], {
        cwd: project.folder,
        env: project.environment,
        extendEnv: false,
      });
      expect(back.stdout).toBe(`${sum}  -`);
    });

    test("piped input goes to every selected host", async () => {
      writeFileSync(join(project.folder, "script"), "echo from a script; exit 4\n");
      const ran = await project.mrskWithInput("script", "server", "exec", "sh -s");
      expect(ran.status).toBe(4);
      expect(ran.stdout.split("\n").toSorted()).toEqual([A, B].map((host) => `${host} | from a script`).toSorted());
    });

    test("a dump is read by a database", async () => {
      const ready = ["accessory", "exec", "--reuse", "db", "pg_isready -h 127.0.0.1"];
      await until(async () => (await project.mrsk(...ready)).status === 0);
      writeFileSync(
        join(project.folder, "dump.sql"),
        "create table one (id int);\ninsert into one select generate_series(1, 1000);\n",
      );
      const psql = "psql -U postgres -v ON_ERROR_STOP=1";
      const read = () => project.mrskWithInput("dump.sql", "accessory", "exec", "--reuse", "db", psql);
      succeeded(await read());
      const ran = succeeded(
        await project.mrsk(
          "accessory",
          "exec",
          "--reuse",
          "--raw",
          "db",
          `psql -U postgres -Atc "select count(*) from one"`,
        ),
      );
      expect(ran.stdout).toBe("1000");
      expect((await read()).status).toBe(3);
    });

    test("variables for one command, including one that docker itself uses", async () => {
      const ran = succeeded(
        await project.mrsk(
          "app",
          "exec",
          "-r",
          "jobs",
          "--raw",
          "-e",
          "ROLE=mine",
          "-e",
          "B:a 'b' $c",
          "-e",
          "HOME=/elsewhere",
          `node -p "[process.env.ROLE, process.env.B, process.env.HOME].join()"`,
        ),
      );
      expect(ran.stdout).toBe("mine,a 'b' $c,/elsewhere");
    });
  });

  describe("logs", () => {
    test("two roles of one host have a block each; without a container nothing is found", async () => {
      const ran = succeeded(await project.mrsk("app", "logs", "-h", A));
      expect(ran.stdout).toContain(`App (web) Host: ${A}\nlistening, version ${version}`);
      expect(ran.stdout).toContain(`App (jobs) Host: ${A}\nlistening, version ${version}`);
      expect(succeeded(await project.mrsk("app", "logs", "-h", B, "-g", "no such line")).stdout).toBe(
        `App Host: ${B}\nNothing found\n`,
      );
      expect(succeeded(await project.mrsk("traefik", "logs", "-h", B, "-n", "1")).stdout).toMatch(
        new RegExp(`^Traefik Host: ${B}\n\\S+`),
      );
      expect(
        succeeded(await project.mrsk("accessory", "logs", "db", "-g", "READY to accept", "-o", "-i")).stdout,
      ).toContain("ready to accept connections");
    });

    test("an invalid option of docker or grep is an error with their message", async () => {
      const since = await project.mrsk("app", "logs", "-h", B, "-s", "yesterday evening");
      expect([since.status, since.stderr]).toEqual([2, expect.stringContaining("yesterday evening")]);
      const grep = await project.mrsk("app", "logs", "-h", B, "-g", "x", "-o", "--nosuch");
      expect([grep.status, grep.stderr]).toEqual([2, expect.stringContaining("nosuch")]);
    });

    test("following prints new lines of all selected hosts and roles, and Ctrl-C ends it, also on the servers", async () => {
      const running = project.start("app", "logs", "-f", "-n", "0");
      let seen = "";
      running.stdout.on("data", (text: Buffer) => (seen += text.toString()));
      await until(async () => (await followers("a")) === 2 && (await followers("b")) === 1);
      for (const server of ["a", "b"])
        await onServer(
          server,
          "docker ps -q --filter label=role | xargs -n 1 -I{} docker exec {} sh -c 'echo a new line >/proc/1/fd/1'",
        );
      await until(() =>
        [`${A} web |`, `${A} jobs |`, `${B} |`].every((prefix) =>
          new RegExp(`^${prefix.replace("|", "\\|")} \\S+ a new line$`, "m").test(seen),
        ),
      );
      expect(seen).not.toContain("listening");
      running.kill("SIGINT");
      const ended = await running;
      expect([ended.exitCode, ended.stderr]).toEqual([
        0,
        expect.stringContaining(`Following logs on ${A} jobs, ${A} web, ${B}...`),
      ]);
      await until(async () => (await followers("a")) === 0 && (await followers("b")) === 0);
    });

    test("following one host with a pattern and a time, without a prefix", async () => {
      await onServer(
        "b",
        "docker ps -q --filter label=role | xargs -I{} docker exec {} sh -c 'echo wanted one >/proc/1/fd/1; echo other >/proc/1/fd/1'",
      );
      const running = project.start("app", "logs", "-f", "-h", B, "-s", "1h", "-g", "wanted");
      let seen = "";
      running.stdout.on("data", (text: Buffer) => (seen += text.toString()));
      await until(() => seen.includes("wanted one"));
      await onServer(
        "b",
        "docker ps -q --filter label=role | xargs -I{} docker exec {} sh -c 'echo other >/proc/1/fd/1; echo wanted two >/proc/1/fd/1'",
      );
      await until(() => seen.includes("wanted two"));
      running.kill("SIGINT");
      expect((await running).exitCode).toBe(0);
      const lines = seen
        .trim()
        .split("\n")
        .map((line) => line.replace(/^\S+ /, ""));
      expect([...new Set(lines)]).toEqual(["wanted one", "wanted two"]);
    });

    test("following ends when the reader of the output ends", async () => {
      const line = `node "$0" app logs -f -h ${B} -g "for head" | head -n 1`;
      const running = execa("bash", ["-o", "pipefail", "-c", line, PROGRAM], {
        cwd: project.folder,
        env: project.environment,
        extendEnv: false,
        reject: false,
        stdin: "ignore",
      });
      let over = false;
      void running.then(() => (over = true));
      await until(async () => {
        await onServer(
          "b",
          "docker ps -q --filter label=role | xargs -I{} docker exec {} sh -c 'echo for head >/proc/1/fd/1'",
        );
        return over;
      });
      const ran = await running;
      expect(ran.stdout).toMatch(/^\S+ for head$/);
      expect(ran.stderr).not.toContain("EPIPE");
    });

    test("the hosts have different colours if colour is on", async () => {
      const ran = await execa(process.execPath, [PROGRAM, "app", "exec", "--reuse", "-r", "web", "echo hi"], {
        cwd: project.folder,
        env: { ...project.environment, NO_COLOR: "", FORCE_COLOR: "1" },
        extendEnv: false,
        stdin: "ignore",
      });
      const colours = ran.stdout.split("\n").map((text) => text.slice(0, 5));
      expect(new Set(colours).size).toBe(2);
      expect((await ask("a", "/up")).status).toBe(200);
    });
  });

  /** How many `docker logs` run on a server. */
  const followers = async (server: string) => Number(await onServer(server, "pgrep -c -f '^docker logs' || true"));
});

function says(output: Readable, what: string): Promise<void> {
  return new Promise((resolve) => output.on("data", (text: Buffer) => text.toString().includes(what) && resolve()));
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isTrue()); tries++) {
    if (tries > 150) throw new Error("it did not come to that");
    await delay(200);
  }
}
