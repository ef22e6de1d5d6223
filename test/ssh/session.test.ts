import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sh, withEnvironment } from "../../src/script/command.ts";
import { attempt, capture, script, step } from "../../src/script/script.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { RemoteHost } from "../../src/hosts/remote-host.ts";
import type { RunEvent } from "../../src/events.ts";
import type { Connections } from "../../src/ssh/connections.ts";
import { noSecrets } from "../support/no-secrets.ts";
import { connections, relay, type Sshd, sshSettings, startSshd } from "../support/sshd.ts";

const terminal = { input: process.stdin, output: process.stdout, type: "dumb" };
let sshd: Sshd;
let pool: Connections;
const events: RunEvent[] = [];
const host = (from: Connections = pool) =>
  new RemoteHost("127.0.0.1", from, (event) => void events.push(event), terminal, noSecrets);

beforeAll(async () => {
  sshd = await startSshd();
  pool = connections(sshSettings(sshd));
});
afterAll(async () => {
  await pool.close();
  sshd.stop();
});

describe("a script over a connection", () => {
  test("returns each step's output and status, and passes captured values to later steps", async () => {
    const say = capture("say", "Say", sh`echo one; echo aside >&2`);
    const result = await host().run(
      script("Try", [say, attempt("Fail", sh`printf 'no newline'; exit 3`), step("Use", sh`echo got ${say.output}`)]),
    );
    expect(result.text("say")).toBe("one");
    expect(result.steps[0]!.stderr).toBe("aside\n");
    expect(result.status("Fail")).toBe(3);
    expect(result.steps[1]!.stdout).toBe("no newline");
    expect(result.text("Use")).toBe("got one");
  });

  test("later scripts reuse the channel, in one round trip; a channel that has ended is replaced", async () => {
    const between = await relay(sshd.port);
    const own = connections(sshSettings(sshd, { port: between.port }));
    const shell = async () => Number((await host(own).run(script("Try", [step("Shell", sh`echo $$`)]))).text("Shell"));
    const first = await shell();
    for (let i = 0; i < 5; i++) {
      const before = between.turns();
      expect(await shell()).toBe(first);
      expect(between.turns() - before).toBe(1);
    }
    process.kill(first, "SIGKILL");
    const second = await shell();
    expect(second).not.toBe(first);
    expect(await shell()).toBe(second);
    await own.close();
    between.close();
  });

  test("the channel is reused after a script that failed, not after one that was cancelled", async () => {
    const own = connections(sshSettings(sshd));
    const shell = async () => (await host(own).run(script("Try", [step("Shell", sh`echo $$`)]))).text("Shell");
    const first = await shell();
    await expect(host(own).run(script("Try", [step("Fail", sh`exit 3`)]))).rejects.toMatchObject({ status: 3 });
    expect(await shell()).toBe(first);
    const controller = new AbortController();
    const running = host(own).run(script("Try", [step("Sleep", sh`sleep 4713`)]), { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(running).rejects.toMatchObject({ name: "InterruptedError" });
    expect(await shell()).not.toBe(first);
    await own.close();
  });

  test("stops at a failing step, and the error names it", async () => {
    const failing = host().run(
      script("Try", [
        step("First", sh`echo fine`),
        step("Second", sh`echo why >&2; exit 9`),
        step("Third", sh`echo never`),
      ]),
    );
    await expect(failing).rejects.toMatchObject({
      name: "CommandFailedError",
      step: "Second",
      status: 9,
      output: "why",
    });
  });

  test("a command that fails in the middle of a step ends the step", async () => {
    await expect(
      host().run(
        script("Try", [
          step(
            "Only",
            sh`false
echo on`,
          ),
        ]),
      ),
    ).rejects.toMatchObject({ status: 1 });
  });

  test.each([
    ["quotes and shell characters", `a'b"c$d\`e\\f!g#h %s`],
    ["lines", "first\nsecond\n\nlast"],
    ["unicode", "é ünï ✓ 😀"],
    ["32 KB", "x".repeat(32_768)],
    ["nothing", ""],
  ])("a secret arrives unchanged: %s", async (_what, value) => {
    const secret = new Secret("NAME", value);
    const body = withEnvironment([["NAME", secret]], ["node", "-e", "process.stdout.write(process.env.NAME)"]);
    const result = await host().run(script("Try", [step("Print", body)]));
    expect(result.steps[0]!.stdout).toBe(value);
  });

  test("a secret is in no argument list and in no event", async () => {
    const secret = new Secret("NAME", "very-secret-value-42");
    const running = host().run(
      script("Try", [step("Print", sh`NAME=${secret}; export NAME; sleep 0.5; echo "$NAME"; exit 4`)]),
    );
    await new Promise((resolve) => setTimeout(resolve, 250));
    const lines = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map((pid) => readable(`/proc/${pid}/cmdline`));
    expect(lines.some((line) => line.includes("very-secret-value-42"))).toBe(false);
    await expect(running).rejects.toMatchObject({ output: "[REDACTED]" });
    expect(JSON.stringify(events)).not.toContain("very-secret-value-42");
  });

  test("a cancel ends the remote command, and the cleanup runs", async () => {
    const controller = new AbortController();
    const mark = join(sshd.folder, "cleaned");
    const running = host().run(script("Try", [step("Sleep", sh`sleep 4711`)], sh`echo yes >${mark}`), {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 300);
    await expect(running).rejects.toMatchObject({ name: "InterruptedError" });
    expect(readFileSync(mark, "utf8")).toBe("yes\n");
    expect(processes("sleep 4711")).toBe("");
  });

  test("a script is ended at its deadline, with an error that names it, and the cleanup runs", async () => {
    const mark = join(sshd.folder, "late");
    const late = host().run(script("Free it", [step("Sleep", sh`sleep 4716`)], sh`echo yes >${mark}`), {
      deadlineSeconds: 0.5,
    });
    await expect(late).rejects.toMatchObject({
      name: "SshError",
      exitCode: 5,
      message: '127.0.0.1: "Free it" did not end within 0.5 s',
    });
    expect(readFileSync(mark, "utf8")).toBe("yes\n");
    expect(processes("sleep 4716")).toBe("");
  });

  test("forty concurrent scripts share one connection, below the server's limit of channels", async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => host().run(script("Try", [step("Say", sh`echo ${i}`)]))),
    );
    expect(results.map((result) => result.text("Say"))).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
  });

  test("a lost connection is an error, and ends the remote command", async () => {
    const between = await relay(sshd.port);
    const own = connections(sshSettings(sshd, { port: between.port }));
    const mark = join(sshd.folder, "sleeping");
    const running = host(own).run(script("Try", [step("Sleep", sh`touch ${mark}; sleep 4712`)]));
    const ended = running.catch((error: unknown) => error);
    await vi.waitFor(() => expect(existsSync(mark)).toBe(true), 15_000);
    between.cut();
    expect(await ended).toMatchObject({
      name: "SshError",
      message: expect.stringContaining("connection was lost") as string,
    });
    await vi.waitFor(() => expect(processes("sleep 4712")).toBe(""), { timeout: 15_000, interval: 500 });
    const after = await host(own).run(script("Try", [step("Say", sh`echo back`)]));
    expect(after.text("Say")).toBe("back");
    await own.close();
    between.close();
  });
});

describe("errors while connecting", () => {
  const attemptOn = async (ssh: Parameters<typeof connections>[0], name = "127.0.0.1") => {
    const own = connections(ssh);
    try {
      return await new RemoteHost(name, own, () => {}, terminal, noSecrets).run(script("Try", [step("Say", sh`echo`)]));
    } finally {
      await own.close();
    }
  };

  test("a refused key: the error names the keys that were tried", async () => {
    await expect(attemptOn(sshSettings(sshd, { keys: [sshd.wrongKey] }))).rejects.toMatchObject({
      message: expect.stringMatching(/accepted no public key for .* Tried .*id_wrong/) as string,
      hint: expect.stringContaining("authorized_keys") as string,
    });
  });

  test("a closed port, an unknown host name", async () => {
    await expect(attemptOn(sshSettings(sshd, { port: 1 }))).rejects.toThrow("connection refused at 127.0.0.1:1");
    await expect(attemptOn(sshSettings(sshd), "nosuch.invalid")).rejects.toThrow(
      "cannot resolve the host name nosuch.invalid",
    );
  });

  test("a new host key is added, the same key accepted, a changed key refused with its line", async () => {
    writeFileSync(sshd.knownHosts, "");
    await attemptOn(sshSettings(sshd));
    const written = readFileSync(sshd.knownHosts, "utf8");
    expect(written).toContain(`[127.0.0.1]:${sshd.port} ssh-ed25519`);
    await attemptOn(sshSettings(sshd));
    expect(readFileSync(sshd.knownHosts, "utf8")).toBe(written);
    const other = readFileSync(`${sshd.wrongKey}.pub`, "utf8").split(" ")[1];
    writeFileSync(sshd.knownHosts, `# a comment\n[127.0.0.1]:${sshd.port} ssh-ed25519 ${other}\n`);
    await expect(attemptOn(sshSettings(sshd))).rejects.toMatchObject({
      message: expect.stringMatching(/host key SHA256:\S+ does not match .*known_hosts line 2: /) as string,
      hint: expect.stringContaining("ssh-keygen -R") as string,
    });
    writeFileSync(sshd.knownHosts, written);
  });

  test("an unknown host key with StrictHostKeyChecking yes", async () => {
    const known = readFileSync(sshd.knownHosts, "utf8");
    writeFileSync(sshd.knownHosts, "");
    await expect(attemptOn(sshSettings(sshd, {}, ["  StrictHostKeyChecking yes"]))).rejects.toThrow(
      /host key SHA256:\S+ is not known/,
    );
    writeFileSync(sshd.knownHosts, known);
  });
});

describe("keys, jump hosts and proxy commands", () => {
  test("the passphrase of an encrypted key is asked for once", async () => {
    const asked: string[] = [];
    const own = connections(sshSettings(sshd, { keys: [sshd.encryptedKey] }), async (file) => {
      asked.push(file);
      return "secret words";
    });
    const names = ["127.0.0.1", "localhost"];
    await Promise.all(
      names.map((name) =>
        new RemoteHost(name, own, () => {}, terminal, noSecrets).run(script("Try", [step("Say", sh`echo`)])),
      ),
    );
    expect(asked).toEqual([sshd.encryptedKey]);
    await own.close();
  });

  test("the agent's keys are used, with IdentitiesOnly only the named ones", async () => {
    const agent = startAgent(join(sshd.folder, "agent.sock"), sshd.wrongKey, sshd.key);
    const ways = async (lines: readonly string[]) => {
      const ssh = sshSettings(sshd, { keys: [], keysOnly: false }, [`  IdentityAgent ${agent.socket}`, ...lines]);
      const own = connections(ssh);
      try {
        return (await host(own).run(script("Try", [step("Say", sh`echo in`)]))).text("Say");
      } catch (error) {
        return (error as Error).message;
      } finally {
        await own.close();
      }
    };
    expect(await ways([])).toBe("in");
    expect(await ways(["  IdentitiesOnly yes", `  IdentityFile ${sshd.key}.pub`])).toBe("in");
    expect(await ways(["  IdentitiesOnly yes", `  IdentityFile ${sshd.wrongKey}.pub`])).toMatch(
      /accepted no public key for .* Tried .*id_wrong.pub \(in the agent\)/,
    );
    agent.stop();
  });

  test("many hosts behind a jump host use one connection to it", async () => {
    const bastion = await relay(sshd.port);
    const proxy = `${process.env["USER"] ?? "root"}@127.0.0.1:${bastion.port}`;
    const own = connections(sshSettings(sshd, { proxy }));
    const names = ["127.0.0.1", "localhost"];
    await Promise.all(
      names.map((name) =>
        new RemoteHost(name, own, () => {}, terminal, noSecrets).run(script("Try", [step("Say", sh`echo`)])),
      ),
    );
    expect(bastion.accepted()).toBe(1);
    await own.close();
    bastion.close();
  });

  test("a jump host that is reached through itself is an error", async () => {
    const user = process.env["USER"] ?? "root";
    const own = connections(sshSettings(sshd, { user }, [`  ProxyJump ${user}@localhost:${sshd.port}`]));
    const running = new RemoteHost("localhost", own, () => {}, terminal, noSecrets).run(
      script("Try", [step("Say", sh`echo`)]),
    );
    await expect(running).rejects.toThrow("jumphost loop");
    await own.close();
  });

  test("a proxy command carries the connection, also of an interactive command", async () => {
    const own = connections(
      sshSettings(sshd, {
        proxyCommand: `node -e "const s=require('net').connect(%p,'%h');process.stdin.pipe(s);s.pipe(process.stdout)"`,
      }),
    );
    const result = await host(own).run(script("Try", [step("Say", sh`echo through`)]));
    expect(result.text("Say")).toBe("through");
    const { PassThrough } = await import("node:stream");
    const user = { input: new PassThrough() as never, output: new PassThrough() as never, type: "vt100" };
    const status = await new RemoteHost("127.0.0.1", own, () => {}, user, noSecrets).attach(
      { body: sh`exit 7` },
      "terminal",
      new AbortController().signal,
    );
    expect(status).toBe(7);
    await own.close();
  });

  const HOMES: readonly (readonly [what: string, startUp: string, message: RegExp])[] = [
    ["unsets HOME", "unset HOME", /: the login user \S+ has no home directory: HOME is not set$/],
    ["names a missing HOME", "HOME=/nope", /: the login user \S+ has a home directory that does not exist: \/nope$/],
    ["names a HOME that is a file", "HOME=/etc/passwd", /has a home directory that is no directory: \/etc\/passwd$/],
  ]; // biome-ignore format: one line each

  test.each(HOMES)("a login shell that %s is an error", async (_, startUp, message) => {
    const strange = await startSshd([`ForceCommand echo welcome; ${startUp}; eval "$SSH_ORIGINAL_COMMAND"`]);
    const own = connections(sshSettings(strange));
    const expected = { name: "SshError", message: expect.stringMatching(message) as string };
    await expect(host(own).run(script("Try", [step("Say", sh`echo`)]))).rejects.toMatchObject(expected);
    const pipes = { input: Readable.from([]), onOutput: () => {} };
    const attached = host(own).attach({ body: sh`echo` }, pipes, new AbortController().signal);
    await expect(attached).rejects.toMatchObject(expected);
    await own.close();
    strange.stop();
  });

  test("if the login shell changes directory, scripts and commands still begin in the home directory", async () => {
    const strange = await startSshd([`ForceCommand cd /tmp; eval "$SSH_ORIGINAL_COMMAND"`]);
    const own = connections(sshSettings(strange));
    const ran = await host(own).run(script("Try", [step("Where", sh`pwd; echo "$HOME"`)]));
    const [where, home] = ran.text("Where").split("\n");
    expect(where).toBe(home);
    let printed = "";
    const pipes = {
      input: Readable.from([]),
      onOutput: (_: string, bytes: Buffer) => void (printed += bytes.toString()),
    };
    await host(own).attach({ body: sh`pwd` }, pipes, new AbortController().signal);
    expect(printed).toBe(`${home}\n`);
    await own.close();
    strange.stop();
  });

  test("a login shell that ends immediately is an error", async () => {
    const strange = await startSshd(["ForceCommand echo this account is closed"]);
    const own = connections(sshSettings(strange));
    await expect(host(own).run(script("Try", [step("Say", sh`echo`)]))).rejects.toMatchObject({
      message: expect.stringMatching(/before it ran a command\n[^]*this account is closed/) as string,
    });
    await own.close();
    strange.stop();
  });
});

/** An agent with these keys. */
function startAgent(socket: string, ...keys: readonly string[]): { socket: string; stop(): void } {
  const output = execFileSync("ssh-agent", ["-a", socket, "-s"], { encoding: "utf8" });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(output)![1]);
  execFileSync("ssh-add", ["-q", ...keys], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return { socket, stop: () => process.kill(pid) };
}

function readable(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function processes(pattern: string): string {
  try {
    return execFileSync("pgrep", ["-fx", pattern], { encoding: "utf8" });
  } catch {
    return "";
  }
}
