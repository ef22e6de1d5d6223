import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";
import { TerminalSession } from "./terminal.ts";

const SERVER = "a";
const SECRET = `se'cret "$with\`awkward\\signs\n second line é`;
const EXTRA = "extra-value-of-one-command-4711";

describe("commands at a terminal", () => {
  const project = new Project("interactive", { SECRET });
  let version = "";

  /** One-off containers, by state. */
  const oneOffs = (state = "") =>
    onServer(
      SERVER,
      `docker ps -a --filter label=mrsk.exec=interactive ${state && `--filter status=${state}`} --format '{{.Names}}'`,
    );

  /** Argument lists of everything that runs on the server. */
  const argumentLists = () => onServer(SERVER, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '");

  beforeAll(async () => {
    await sweep(SERVER);
    project.configure({
      servers: [lab["LAB_A"]],
      env: { clear: { PLAIN: "plain" }, secret: ["SECRET"] },
      healthcheck: { path: "/up", port: 3000 },
      accessories: {
        box: { image: "postgres:14", host: lab["LAB_A"], env: { clear: { POSTGRES_HOST_AUTH_METHOD: "trust" } } },
      },
    });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    version = await project.commit("Interactive");
    succeeded(await project.mrsk("setup"));
  });
  afterEach(() => TerminalSession.closeAll());
  afterAll(() => sweep(SERVER));

  test("a shell in a new container: prompt, size, Ctrl-C, exit status, secrets, and no leftovers", async () => {
    const session = new TerminalSession(project, "app", "exec", "-i", "-e", `EXTRA=${EXTRA}`, "bash --norc");
    await session.shows(/bash-\S+#$/m);
    session.type("stty size\r");
    await session.shows(/^30 100$/m);
    session.resize(77, 22);
    // A change of size is not ordered with the input, and may come later.
    for (let tries = 0; tries < 20 && !session.text().includes("\n22 77\n"); tries++) {
      session.type("stty size\r");
      await delay(500);
    }
    await session.shows(/^22 77$/m);
    session.type("sleep 4242\r");
    await delay(500);
    session.type("\x03");
    await session.shows(/\^C/);
    session.type('printf "status %s\\n" $?\r');
    await session.shows(/^status 130$/m);
    session.type(
      '[ "$(printf %s "$SECRET" | base64 -w0)" = ' +
        `${Buffer.from(SECRET).toString("base64")} ] && echo the secret is ri''ght\r`,
    );
    await session.shows(/^the secret is right$/m);
    session.type(`[ "$EXTRA" = ${EXTRA} ] && echo extra is ri''ght\r`);
    await session.shows(/^extra is right$/m);
    const lists = await argumentLists();
    expect(lists).toContain("--label mrsk.exec=interactive");
    expect(lists).not.toContain("second line");
    expect(lists).not.toContain(EXTRA);
    expect(await oneOffs("running")).toMatch(/^interactive-web-exec-[0-9a-f]{12}$/);
    session.type("exit 42\r");
    expect(await session.ended).toBe(42);
    await session.shows(/terminal is restored/);
    expect(await oneOffs()).toBe("");
    // The user's input was echoed, the script with the secrets was not.
    expect(session.bytes).not.toContain("_cleanup");
  });

  test("the running container, in its own process space", async () => {
    const session = new TerminalSession(project, "app", "exec", "-i", "--reuse", "-e", `EXTRA=${EXTRA}`, "bash --norc");
    await session.shows(/bash-\S+#$/m);
    session.type("tr '\\0' ' ' </proc/1/cmdline; echo \"is $MRSK_CONTAINER_NAME with ${#EXTRA}\"\r");
    await session.shows(new RegExp(`is interactive-web-${version} with ${EXTRA.length}`));
    expect(await argumentLists()).not.toContain(EXTRA);
    session.type("\x04");
    expect(await session.ended).toBe(0);
    expect(session.text()).toContain("node server.js");
    await session.shows(/terminal is restored/);
  });

  test("an accessory, and the server itself", async () => {
    const box = new TerminalSession(project, "accessory", "exec", "-i", "--reuse", "box", "bash --norc");
    await box.shows(/bash-\S+#$/m);
    box.type("exit 7\r");
    expect(await box.ended).toBe(7);
    const server = new TerminalSession(
      project,
      "server",
      "exec",
      "-i",
      "stty size; read -r line; echo got $line; exit 5",
    );
    await server.shows(/^30 100$/m);
    server.type("it\r");
    expect(await server.ended).toBe(5);
    await server.shows(/^got it$/m);
    await server.shows(/terminal is restored/);
  });

  test("a lost connection restores the terminal, and leaves no container", async () => {
    const session = new TerminalSession(project, "app", "exec", "-i", "bash --norc");
    await session.shows(/bash-\S+#$/m);
    const name = await oneOffs("running");
    // The sshd process of this connection is an ancestor of the docker client.
    await onServer(
      SERVER,
      `pid=$(pgrep -of '^docker run .*--name ${name} ')
while [ "$pid" -gt 1 ] && [ "$(ps -o comm= -p "$pid")" != sshd ]; do pid=$(ps -o ppid= -p "$pid" | tr -d ' '); done
[ "$pid" -gt 1 ] && kill -9 "$pid"`,
    );
    expect(await session.ended).toBe(5);
    await session.shows(/the connection was lost/);
    await session.shows(/terminal is restored/);
    for (let tries = 0; (await oneOffs()) !== "" && tries < 60; tries++) await delay(500);
    expect(await oneOffs()).toBe("");
  });

  test("a container that was never started is removed by the next run", async () => {
    await onServer(
      SERVER,
      `docker create --name forgotten --label mrsk.exec=interactive registry:5000/lab/interactive:${version} true`,
    );
    await onServer(
      SERVER,
      `docker create --name foreign --label mrsk.exec=another registry:5000/lab/interactive:${version} true`,
    );
    succeeded(await project.mrsk("app", "exec", "true"));
    // A young container may be about to start.
    expect(await oneOffs("created")).toBe("forgotten");
    await delay(31_000);
    succeeded(await project.mrsk("app", "exec", "true"));
    expect(await oneOffs()).toBe("");
    expect(await onServer(SERVER, "docker ps -a --filter name=foreign --format '{{.Names}}'")).toBe("foreign");
  });

  test("-i without a terminal joins pipes, as in docker", async () => {
    writeFileSync(join(project.folder, "input"), "from a pipe\n");
    const ran = succeeded(await project.mrskWithInput("input", "app", "exec", "-i", "--reuse", "cat"));
    expect(ran.stdout).toBe("from a pipe");
  });
});
