import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sh, withEnvironment } from "../../src/commands/command.ts";
import {
  attempt,
  capture,
  HEARTBEAT,
  LOADER,
  NEXT,
  renderScript,
  type Script,
  script,
  step,
} from "../../src/commands/script.ts";
import { Secret } from "../../src/config/secret.ts";

const NONCE = "00ff";

/** Starts a shell as a host does: the text on standard input, which stays open. `nonce` stands as `@` in what it printed. */
function start(text: string, shell: readonly string[] = ["/bin/sh"]) {
  const child = spawn(shell[0]!, [...shell.slice(1), "-s"], { detached: true, stdio: ["pipe", "pipe", "ignore"] });
  let stdout = "";
  const waiting = new Set<() => void>();
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    stdout += more;
    for (const look of waiting) look();
  });
  child.stdin.write(text);
  return {
    pid: child.pid!,
    send: (more: string) => void child.stdin.write(more),
    end: () => void child.stdin.end(),
    printed: (what: string) =>
      new Promise<void>((resolve) => {
        const look = () => void (stdout.includes(what) && (resolve(), waiting.delete(look)));
        waiting.add(look);
        look();
      }),
    closed: new Promise<{ status: number | null; stdout: string }>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status) => resolve({ status, stdout: stdout.replaceAll(`\x1e${NONCE} `, "@") }));
    }),
  };
}

/** Runs it, and ends the input when `until` was printed. */
async function run(what: Script, until = `${NONCE} x `): Promise<{ status: number | null; stdout: string }> {
  const shell = start(LOADER + renderScript(what, NONCE));
  void shell.printed(until).then(shell.end);
  return shell.closed;
}

test("steps run in order, each between its marks, and a later one reads what was captured", async () => {
  const result = await run(
    script("Test", [
      step("one", ["echo", "a b"]),
      attempt("fails", ["false"]),
      capture("id", "id", sh`echo "x y"`),
      step("uses it", sh`echo "<$id>"`),
    ]),
  );
  expect(result).toEqual({
    status: 0,
    stdout: "@b 0\na b\n@e 0 0\n@b 1\n@e 1 1\n@b 2\nx y\n@e 2 0\n@b 3\n<x y>\n@e 3 0\n@x 0\n",
  });
});

test("a step that must work ends the script with its status; the clean-up runs", async () => {
  const result = await run(
    script("Test", [step("dies", sh`echo before; sh -c 'exit 7'; echo after`), step("never", ["echo", "never"])], ["echo", "tidy"]), // biome-ignore format: one line
  );
  expect(result).toEqual({ status: 0, stdout: "@b 0\nbefore\n@e 0 7\n@b cleanup\ntidy\n@e cleanup 0\n@x 7\n" });
});

test("a secret reaches its command byte for byte, and no other", async () => {
  const secret = new Secret("TOKEN", `a'b"c $d \\ \n é`);
  const result = await run(
    script("Test", [
      step("has it", withEnvironment([["TOKEN", secret]], ["printenv", "TOKEN"])),
      attempt("has not", ["printenv", "TOKEN"]),
    ]),
  );
  expect(result.stdout).toContain(`@b 0\na'b"c $d \\ \n é\n@e 0 0\n@b 1\n@e 1 1\n`);
});

test("a value that no shell can carry is refused", () => {
  const what = script("Test", [step("x", ["echo", new Secret("TOKEN", "a\0b")])]);
  expect(() => renderScript(what, NONCE)).toThrow("the value of TOKEN contains a NUL character");
});

test("a step that ignores its end does not keep the clean-up from being done", async () => {
  const stubborn = step("stubborn", sh`trap '' TERM; echo ready; sleep 4717; echo never`);
  const mark = join(mkdtempSync(join(tmpdir(), "mrsk-script-")), "cleaned");
  const result = await run(script("Test", [stubborn], ["touch", mark]), "ready");
  expect(result).toEqual({ status: null, stdout: "@b 0\nready\n" });
  expect(existsSync(mark)).toBe(true);
});

const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["mksh"], ["zsh", "--emulate", "sh"]].filter(
  ([program]) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0,
);

describe.concurrent.each(SHELLS.map((shell) => ({ name: shell.join(" "), shell })))("under $name", ({ shell }) => {
  test("one script comes after the other, each with nothing of the one before", async () => {
    const host = start(LOADER, shell);
    for (let i = 0; i < 50; i++) {
      const nonce = `00${i}`;
      const steps = [
        capture("id", "id", sh`echo ${i}`),
        attempt("fails", sh`false; echo on`),
        step("long", sh`: ${"x".repeat(200 * i)}`),
      ];
      host.send(
        renderScript(
          script("Test", [step("empty", sh`echo "<$id>"`), ...steps, step("uses", sh`echo "got $id"`)]),
          nonce,
        ),
      );
      if (i % 3 === 0) host.send(HEARTBEAT);
      await host.printed(`${nonce} x 0`);
      if (i % 5 === 0) host.send(HEARTBEAT);
      host.send(NEXT);
      if (i % 7 === 0) host.send(HEARTBEAT);
    }
    host.end();
    const { status, stdout } = await host.closed;
    expect(status).toBe(0);
    const marks = (i: number) => {
      const mark = `\x1e00${i} `;
      const [empty, id, fails, long, uses] = [`<>`, `${i}`, "", "", `got ${i}`];
      const steps = [empty, id, fails, long, uses].map((said, at) => `${mark}b ${at}\n${said && `${said}\n`}${mark}e ${at} ${said === fails && at === 2 ? 1 : 0}\n`); // biome-ignore format: one line
      return `${steps.join("")}${mark}x 0\n`;
    };
    expect(stdout).toBe(Array.from({ length: 50 }, (_, i) => marks(i)).join(""));
  });

  test("the end of its input ends a script, which cleans up", async () => {
    const { status } = await interrupted(shell, (host) => host.end());
    // mksh may wait until it is killed.
    expect(shell[0] === "mksh" ? [143, null] : [143]).toContain(status);
  });

  test("without a heartbeat it ends in the same way, and so does a shell that waits", async () => {
    await interrupted(shell, () => {}, LOADER.replace("sleep 6", "sleep 0.1"));
    const waiting = start(LOADER.replace("sleep 6", "sleep 0.1"), shell);
    expect((await waiting.closed).status).toBe(null);
  });

  test("a script that is killed ends its shell", async () => {
    const host = start(LOADER + renderScript(script("Test", [attempt("dies", ["sh", "-c", "kill -KILL $PPID"])]), NONCE), shell); // biome-ignore format: one line
    expect((await host.closed).status).not.toBe(0);
  });
});

let sleeps = 4720;

/** How a script in a step without end ends after what `happens` then. It has cleaned up, and left no process. */
async function interrupted(
  shell: readonly string[],
  happens: (host: ReturnType<typeof start>) => void,
  loader = LOADER,
): Promise<{ status: number | null }> {
  const seconds = String(sleeps++);
  const mark = join(mkdtempSync(join(tmpdir(), "mrsk-script-")), "cleaned");
  const what = script("Test", [step("silent", sh`echo ready; sleep ${seconds}`)], ["touch", mark]);
  const host = start(loader + renderScript(what, NONCE), shell);
  await host.printed("ready");
  happens(host);
  const ended = await host.closed;
  expect(spawnSync("pgrep", ["-fx", `sleep ${seconds}`]).status).toBe(1);
  expect(existsSync(mark)).toBe(true);
  return ended;
}
