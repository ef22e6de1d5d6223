import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { sh } from "../../src/script/command.ts";
import { attempt, script, step } from "../../src/script/script.ts";
import { LocalHost } from "../../src/hosts/local-host.ts";
import { Mask } from "../../src/script/mask.ts";
import { ScriptRun } from "../../src/script/script-run.ts";
import { noSecrets } from "../support/no-secrets.ts";

const host = new LocalHost(tmpdir(), { PATH: process.env["PATH"]! }, () => {}, noSecrets);
const NONCE = "00ff";

test("more than 16 MiB of output keep their beginning and end, and are refused as a result", async () => {
  const print = sh`echo first; head -c 40000000 /dev/zero | tr '\0' x; echo; echo last`;
  const result = await host.run(script("Try", [attempt("Print", print)]));
  const { stdout } = result.steps[0]!;
  expect(stdout.length).toBeLessThan(17 * 1024 * 1024);
  expect(stdout.slice(0, 6)).toBe("first\n");
  expect(stdout.slice(-5)).toBe("last\n");
  expect(stdout).toMatch(/\n\[… 23 MiB of output omitted …\]\n/);
  expect(() => result.text("Print")).toThrow("localhost: Print: the output is too long (over 16 MiB)");
});

test("an error shows the end of the output, however long its lines", async () => {
  const failing = host.run(script("Try", [step("Print", sh`head -c 1000000 /dev/zero | tr '\0' x; echo end; exit 3`)]));
  const { message } = await failing.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );
  expect(message).toMatch(/^localhost: Print failed \(exit status 3\)\n\[…\]x+end$/);
  expect(message.length).toBeLessThan(17_000);
});

test("a host cannot add steps to a script", () => {
  const events: string[] = [];
  const run = new ScriptRun(
    "host",
    script("Try", [step("Only", sh`:`)]),
    NONCE,
    ({ kind }) => void events.push(kind),
    {},
    new Mask([]),
  );
  for (let i = 1; i < 1000; i++) run.feed("stdout", Buffer.from(`\x1e${NONCE} b ${i}\nx\n\x1e${NONCE} e ${i} 0\n`));
  expect(events).toEqual([]);
  expect(run.begun).toBe(false);
});

test("only a part of a login shell's output before the script is kept", () => {
  const run = new ScriptRun("host", script("Try", [step("Only", sh`:`)]), NONCE, () => {}, {}, new Mask([]));
  for (let i = 0; i < 1000; i++) run.feed("stdout", Buffer.alloc(10_000, "banner "));
  expect(() => run.finish(1, undefined)).toThrow(/^host: the login shell ended/);
  const message = (() => {
    try {
      run.finish(1, undefined);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(message.length).toBeLessThan(17_000);
});
