import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TerminalSession } from "./terminal.ts";
import { lab, onServer, PROGRAM, Project, succeeded, sweep } from "./project.ts";

const LOCK = ".mrsk/lock-safe";

describe("every run ends safely", () => {
  const project = new Project("safe");

  beforeAll(async () => {
    await sweep("a");
    project.configure({ servers: [lab["LAB_A"]!] });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    await project.commit("Before");
    succeeded(await project.mrsk("lock", "status"));
  });
  afterAll(() => sweep("a"));

  const locked = () => onServer("a", `ls -d ${LOCK} 2>/dev/null || true`);

  /** Runs a command line in bash, in which `mrsk` is the program. */
  const typed = (line: string) =>
    execa("bash", ["-c", `mrsk() { node ${PROGRAM} "$@"; }; ${line}`], {
      cwd: project.folder,
      env: project.environment,
      extendEnv: false,
      reject: false,
      timeout: 60_000,
    });

  test.each([
    ["a reader that ends", "mrsk -v prune all 2>&1 | head -2; exit ${PIPESTATUS[0]}"],
    ["a reader of standard error that ends", "mrsk -v prune all 2> >(head -2 >/dev/null)"],
    ["a reader that ends immediately", "mrsk -v prune all 2> >(:)"],
    ["a full disk under standard error", "mrsk -v prune all 2>/dev/full"],
    ["a full disk under standard output", "mrsk details >/dev/full"],
    ["a full disk under both", "mrsk -v prune all >/dev/full 2>&1"],
  ])("%s: the lock is released, and nothing crashes", async (_what, line) => {
    const { exitCode, stderr, stdout } = await typed(line);
    expect(await locked()).toBe("");
    expect(stderr + stdout).not.toContain("bug in mrsk");
    // 130 if the run was interrupted before the work was done; 1 if standard output cannot be written.
    expect(line.includes(">/dev/full") && !line.includes("2>") ? [1, 130] : [0, 130]).toContain(exitCode);
  });

  test("a full disk under the requested output is a failure, a reader that ends early is none", async () => {
    expect(await typed("mrsk config >/dev/full")).toMatchObject({
      exitCode: 1,
      stderr: "ERROR: Standard output cannot be written: ENOSPC: no space left on device, write",
    });
    expect(await typed("mrsk config | head -1; exit ${PIPESTATUS[0]}")).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("a run that lost its lock does not release another run's lock", async () => {
    project.configure({
      servers: [lab["LAB_A"]!],
      accessories: { db: { image: "postgres:14", host: lab["LAB_A"], cmd: "sleep 60" } },
    });
    // The stop takes ten seconds, because `sleep` as a container's first process ignores TERM.
    succeeded(await project.mrsk("accessory", "boot", "db"));
    const running = project.start("accessory", "stop", "db");
    await expect.poll(locked, { interval: 200, timeout: 20_000 }).toBe(LOCK);
    succeeded(await project.mrsk("lock", "release"));
    succeeded(await project.mrsk("lock", "acquire", "-m", "mine\nMessage: forged"));
    const { stderr } = await running;
    expect(stderr).toContain(
      "The deploy lock was released during this run, and another run holds it now. It was not released:",
    );
    expect(await locked()).toBe(LOCK);
    const { stdout } = succeeded(await project.mrsk("lock", "status"));
    expect(stdout.split("\n").slice(2)).toEqual(["Message: mine Message: forged"]);
    succeeded(await project.mrsk("lock", "release"));
  });

  test("a server that accepts the login and then hangs: repeated signals end the run, and it names what remains", async () => {
    const silent = new ssh2.Server({ hostKeys: [readFileSync(lab["LAB_KEY"]!)] }, (client) => {
      client.on("error", () => {}).on("authentication", (request) => request.accept());
      client.on("session", () => {});
    });
    await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const own = new Project("silent");
    own.write("ssh_config", "Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n");
    own.configure({
      servers: ["127.0.0.1"],
      ssh: { keys: [lab["LAB_KEY"]], config: [join(own.folder, "ssh_config")], port, connect_timeout: 3600 },
    });
    own.write(".env", "MRSK_REGISTRY_PASSWORD=secret\n");
    await own.commit("Before");
    const running = own.start("prune", "all");
    const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGINT"] as const;
    for (const [i, signal] of signals.entries()) setTimeout(() => process.kill(running.pid!, signal), 2000 + 5500 * i);
    const { exitCode, stderr } = await running;
    silent.close();
    expect(exitCode).toBe(130);
    expect(stderr).toContain("Not yet: the deploy lock is held, and is released at the end.");
    expect(stderr).toContain("Ended immediately. Left on the servers: the deploy lock on 127.0.0.1, if it was taken");
    expect(stderr).toContain("Run `mrsk lock status`");
  });

  test("Ctrl-C at the question for a passphrase is an interruption", async () => {
    const own = new Project("passphrase");
    own.configure({
      servers: [lab["LAB_A"]!],
      ssh: {
        keys: [join(dirname(lab["LAB_KEY"]!), "id_encrypted")],
        keys_only: true,
        config: [join(own.folder, "ssh_config")],
      },
    });
    own.write(".env", "MRSK_REGISTRY_PASSWORD=secret\n");
    await own.commit("Before");
    const session = new TerminalSession(own, "prune", "all");
    await session.shows(/Passphrase for/);
    session.type("\x03");
    expect(await session.ended).toBe(130);
    expect(session.text()).not.toContain("bug in mrsk");
  });

  test("output of a server has no effect on the terminal: lock details, audit lines and docker's errors are escaped", async () => {
    const hostile = String.raw`\033]52;c;cm0=\007\033[2J\302\233\342\200\256`;
    const shown = String.raw`\u001b]52;c;cm0=\u0007\u001b[2J\u009b\u202e`;
    await onServer(
      "a",
      `mkdir -p ${LOCK}; printf 'Locked by: ${hostile}' | base64 >${LOCK}/details; printf '${hostile}\\n' >mrsk-safe-audit.log`,
    );
    expect((await project.mrsk("lock", "status")).stdout).toBe(`Locked by: ${shown}`);
    expect((await project.mrsk("prune", "all")).stderr).toContain(`Locked by: ${shown}`);
    succeeded(await project.mrsk("lock", "release"));
    expect((await project.mrsk("audit")).stdout).toContain(shown);
    expect((await project.mrsk("server", "exec", `printf '${hostile}'`)).stdout).toContain(
      "\x1b]52;c;cm0=\x07\x1b[2J\u009b\u202e",
    );
  });
});
