import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { call } from "../../src/script/call.ts";
import { ShellLibrary } from "../../src/script/library.ts";
import { sh } from "../../src/script/command.ts";
import { HEARTBEAT, LOADER, NEXT } from "../../src/script/loader.ts";
import { attempt, capture, renderScript, script, step } from "../../src/script/script.ts";
import { NONCE, start } from "../support/scripted-shell.ts";
import { functionNames } from "../support/shell-functions.ts";

const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["mksh"], ["zsh", "--emulate", "sh"]].filter(
  ([program]) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0,
);

describe.concurrent.each(SHELLS.map((shell) => ({ name: shell.join(" "), shell })))("under $name", ({ shell }) => {
  test("scripts run one after the other, without variables of the previous one", async () => {
    const host = start(LOADER, shell);
    for (let i = 0; i < 50; i++) {
      const nonce = `00${i}`;
      const id = capture("id", "id", sh`echo ${i}`);
      const steps = [id, attempt("fails", sh`false; echo on`), step("long", sh`: ${"x".repeat(200 * i)}`)];
      host.send(
        renderScript(
          script("Test", [step("empty", sh`echo "<$out_id>"`), ...steps, step("uses", sh`echo got ${id.output}`)]),
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
      const steps = [empty, id, fails, long, uses].map((output, at) => `${mark}b ${at}\n${output && `${output}\n`}${mark}e ${at} ${output === fails && at === 2 ? 1 : 0}\n`); // biome-ignore format: one line
      return `${steps.join("")}${mark}x 0\n`;
    };
    expect(stdout).toBe(Array.from({ length: 50 }, (_, i) => marks(i)).join(""));
  });

  test("runs every function of src/shell, and a step has the status of its function", async () => {
    const place = mkdtempSync(join(tmpdir(), "mrsk-library-"));
    const lock = [join(place, "run"), join(place, "run/lock"), "1d", "QWRh"] as const;
    const inspected = capture("inspected", "inspected", sh`printf 'state running\nlive %s/live\n{}\n' ${place}`);
    const what = script("Test", [
      step("write", call("write_live_file", join(place, "live"), "app-web", "a: 'b c'\n")),
      step("write private", call("write_live_file", join(place, "live"), "app-web.tls", "key: secret\n", "private")),
      inspected,
      step("read", call("print_live_files", "app", "run", inspected.output, "")),
      step("none", call("print_listeners", inspected.output, "")),
      step("take", call("acquire_lock", ...lock)),
      attempt("held", call("acquire_lock", ...lock)),
      step("condition", sh`if ! ${call("acquire_lock", ...lock)}; then echo on; fi`),
      step("after", ["echo", "goes on"]),
    ]);
    const every = { functions: new Set(functionNames), programs: new Set(["replace_alone"]) };
    const host = start(LOADER + new ShellLibrary().missing(every) + renderScript(what, NONCE), shell);
    await host.printed(`${NONCE} x `);
    host.end();
    const { stdout } = await host.closed;
    // Of a certificate file only the name is read.
    const files = `${place}/live\nwritable\napp-web.tls\napp-web\n YTogJ2IgYycK\n`;
    expect(stdout).toContain(
      `@b 3\n${files}@e 3 0\n@b 4\n@e 4 0\n@b 5\n@e 5 0\n@b 6\nAda\n@e 6 75\n@b 7\nAda\non\n@e 7 0\n@b 8\ngoes on\n@e 8 0\n@x 0\n`,
    );
  });

  test("a script cleans up at the end of its input", async () => {
    const { status } = await interrupted(shell, (host) => host.end());
    // mksh may wait until it is killed.
    expect(shell[0] === "mksh" ? [143, null] : [143]).toContain(status);
  });

  test("a script and a waiting shell end without heartbeats", async () => {
    await interrupted(shell, () => {}, LOADER.replace("sleep 6", "sleep 0.5"));
    const waiting = start(LOADER.replace("sleep 6", "sleep 0.5"), shell);
    expect((await waiting.closed).status).toBe(null);
    // mksh waits until it is killed.
  }, 60_000);

  test("a killed script ends its shell", async () => {
    const host = start(LOADER + renderScript(script("Test", [attempt("dies", ["sh", "-c", "kill -KILL $PPID"])]), NONCE), shell); // biome-ignore format: one line
    expect((await host.closed).status).not.toBe(0);
  });
});

let sleeps = 4720;

/** The exit of a script during an endless step after `happens`. It has cleaned up, and has left no process. */
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
