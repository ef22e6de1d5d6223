import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const PASSWORD = `p'w$"d\`#é`;

describe("all commands in order, from init to remove", () => {
  const project = new Project("story");
  let first = "";
  let second = "";

  beforeAll(() => sweep("a", "b"));
  afterAll(() => sweep("a", "b"));

  test("init writes the starting files of a project, and keeps existing ones", async () => {
    const ran = succeeded(await project.mrsk("init"));
    expect(ran.stdout).toContain("Created configuration file in config/deploy.yml");
    expect(existsSync(join(project.folder, ".kamal/hooks/pre-deploy.sample"))).toBe(true);
    expect(statSync(join(project.folder, ".kamal/secrets")).mode & 0o777).toBe(0o600);
    const again = succeeded(await project.mrsk("init"));
    expect(again.stdout).toContain("already exists");
    // The story goes on with the files of MRSK.
    rmSync(join(project.folder, ".kamal"), { recursive: true });
  });

  test("setup deploys a healthy app with a database to two bare servers", async () => {
    project.configure({
      servers: [lab["LAB_A"]],
      env: { clear: { GREETING: "hi there" }, secret: ["DATABASE_URL", "AWKWARD"] },
      healthcheck: { path: "/up", port: 3000 },
      accessories: {
        db: {
          image: "postgres:14",
          host: lab["LAB_B"],
          port: 5432,
          env: { clear: { POSTGRES_DB: "app" }, secret: ["POSTGRES_PASSWORD"] },
          directories: ["data:/var/lib/postgresql/data"],
        },
      },
    });
    const database = `postgres://postgres:${encodeURIComponent("db-secret-1")}@${lab["LAB_B_INNER"]}:5432/app`;
    writeFileSync(
      join(project.folder, ".env"),
      `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\nPOSTGRES_PASSWORD=db-secret-1\nDATABASE_URL=${database}\nAWKWARD='${PASSWORD.replaceAll("'", "")}'\n`,
    );
    first = await project.commit("First version");
    const ran = succeeded(await project.mrsk("setup"));
    expect(ran.stderr).toContain("is live");
    expect(ran.stdout + ran.stderr).not.toContain("db-secret-1");
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
    expect((await ask("a", "/env/AWKWARD")).text).toBe(PASSWORD.replaceAll("'", ""));
    expect((await ask("a", "/env/GREETING")).text).toBe("hi there");
  });

  test("setup can be repeated, and does not change the running database", async () => {
    const before = await onServer("b", "docker inspect -f '{{.Id}}' story-db");
    succeeded(await project.mrsk("setup"));
    expect(await onServer("b", "docker inspect -f '{{.Id}}' story-db")).toBe(before);
  });

  test("app exec runs the migration and returns its exit status", async () => {
    const ran = succeeded(await project.mrsk("app", "exec", "--reuse", "npm run migrate"));
    expect(ran.stdout).toContain(`App Host: ${lab["LAB_A"]}`);
    expect(ran.stdout).toContain("migrated");
    const failing = await project.mrsk("app", "exec", "--reuse", "-e", "MIGRATE_FAIL=1", "npm run migrate");
    expect(failing.status).toBe(3);
    expect(failing.stderr).toContain("exit status 3");
  });

  test("a record that is stored through Traefik is read back", async () => {
    expect((await ask("a", "/records/one", "value of one")).status).toBe(201);
    expect(await ask("a", "/records/one")).toEqual({ status: 200, text: "value of one" });
  });

  test("the commands that only read print the state", async () => {
    const details = succeeded(await project.mrsk("details")).stdout;
    expect(details).toContain(`Traefik Host: ${lab["LAB_A"]}`);
    expect(details).toContain(`App Host: ${lab["LAB_A"]}`);
    expect(details).toContain("story-db");
    expect(succeeded(await project.mrsk("app", "containers")).stdout).toContain(`story-web-${first}`);
    expect(succeeded(await project.mrsk("app", "version")).stdout).toBe(`App Host: ${lab["LAB_A"]}\n${first}\n`);
    expect(succeeded(await project.mrsk("app", "logs")).stdout).toContain("listening, version");
    expect(succeeded(await project.mrsk("audit")).stdout).toContain(`Booted app version ${first}`);
    expect(succeeded(await project.mrsk("lock", "status")).stdout).toBe("There is no deploy lock");
  });

  test("redeploy switches to the changed version, and keeps the old container", async () => {
    const server = join(project.folder, "server.js");
    writeFileSync(server, readFileSync(server, "utf8").replace("hello from lab app", "hello again"));
    second = await project.commit("Second version");
    succeeded(await project.mrsk("redeploy"));
    expect((await ask("a", "/")).text).toBe("hello again\n");
    expect(await onServer("a", `docker inspect -f '{{.State.Status}}' story-web-${first}`)).toBe("exited");
  });

  test("rollback switches to the old version", async () => {
    succeeded(await project.mrsk("rollback", first));
    expect((await ask("a", "/")).text).toBe("hello from lab app\n");
    expect(await onServer("a", `docker inspect -f '{{.State.Status}}' story-web-${second}`)).toBe("exited");
    const missing = await project.mrsk("rollback", "nosuch");
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain("not available as a container");
  });

  test("a builder can be created, and a redeploy after it works without a terminal", async () => {
    succeeded(await project.mrsk("build", "create"));
    const ran = succeeded(await project.mrsk("redeploy"));
    // eslint-disable-next-line no-control-regex
    expect(ran.stdout + ran.stderr).not.toMatch(/\u001b|\r/);
    expect((await ask("a", "/")).text).toBe("hello again\n");
  });

  test("no secret is in an argument list, a log, the audit or the configuration's output", async () => {
    const shown = succeeded(await project.mrsk("config")).stdout;
    const verbose = succeeded(await project.mrsk("app", "boot", "-v"));
    const audit = await onServer("a", "cat mrsk-story-audit.log");
    for (const secret of ["db-secret-1", lab["LAB_REGISTRY_PASSWORD"]!, PASSWORD.replaceAll("'", "")]) {
      expect(shown).not.toContain(secret);
      expect(verbose.stderr + verbose.stdout).not.toContain(secret);
      expect(audit).not.toContain(secret);
    }
  });

  test("an interrupted deploy leaves no lock behind", async () => {
    const running = project.start("redeploy");
    await new Promise<void>((resolve) => {
      running.stderr.on("data", (text: Buffer) => text.toString().includes("Build and push") && resolve());
    });
    running.kill("SIGINT");
    const ended = await running;
    expect(ended.exitCode).toBe(130);
    expect(succeeded(await project.mrsk("lock", "status")).stdout).toBe("There is no deploy lock");
    expect((await ask("a", "/")).text).toBe("hello again\n");
  });

  test("a version that never becomes healthy gets no requests, and the error has the reason", async () => {
    const server = join(project.folder, "server.js");
    const good = readFileSync(server, "utf8");
    writeFileSync(server, good.replace('env.FAIL_HEALTH === "1"', "true"));
    project.write(
      "config/deploy.yml",
      readFileSync(join(project.folder, "config/deploy.yml"), "utf8").replace(
        "port: 3000\n",
        "port: 3000\n  max_attempts: 3\n",
      ),
    );
    const bad = await project.commit("Broken version");
    const ran = await project.mrsk("redeploy");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain("did not become healthy");
    expect(ran.stderr).toContain("listening, version");
    expect((await ask("a", "/")).text).toBe("hello again\n");
    expect(await onServer("a", `docker inspect -f '{{.State.Status}}' story-web-${bad}`)).toBe("exited");
    expect(succeeded(await project.mrsk("lock", "status")).stdout).toBe("There is no deploy lock");
    writeFileSync(server, good);
  });

  test("remove removes everything except the audit log", async () => {
    const ran = succeeded(await project.mrsk("remove", "-y"));
    expect(ran.stdout).toContain("mrsk-story-audit.log");
    expect(
      await onServer("a", "docker ps -aq; docker image ls -q registry:5000/lab/story; ls -d .mrsk 2>/dev/null || true"),
    ).toBe("");
    expect(await onServer("b", "docker ps -aq; ls -d story-db 2>/dev/null || true")).toBe("");
    expect(await onServer("a", "tail -n 1 mrsk-story-audit.log")).toContain("Removed");
  });
});
