import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sh, withEnvironment } from "../../src/commands/command.ts";
import { LOADER } from "../../src/commands/loader.ts";
import { attempt, capture, renderScript, type Script, script, step } from "../../src/commands/script.ts";
import { Secret } from "../../src/config/secret.ts";
import { NONCE, start } from "../support/scripted-shell.ts";

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
