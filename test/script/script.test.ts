import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sh, withEnvironment } from "../../src/script/command.ts";
import { LOADER } from "../../src/script/loader.ts";
import {
  attempt,
  capture,
  counted,
  renderScript,
  type Script,
  script,
  type Step,
  step,
} from "../../src/script/script.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { machine } from "../support/fake-docker.ts";
import { NONCE, start } from "../support/scripted-shell.ts";

/** Runs the script, and ends its input once it has printed `until`. */
async function run(what: Script, until = `${NONCE} x `): Promise<{ status: number | null; stdout: string }> {
  const shell = start(LOADER + renderScript(what, NONCE));
  void shell.printed(until).then(shell.end);
  return shell.closed;
}

test("steps run in order, each between its markers, and later steps read captured output", async () => {
  const id = capture("id", "id", sh`echo "x y"`);
  const result = await run(
    script("Test", [
      step("one", ["echo", "a b"]),
      attempt("fails", ["false"]),
      id,
      step("uses it", sh`echo "<"${id.output}">"`),
    ]),
  );
  expect(result).toEqual({
    status: 0,
    stdout: "@b 0\na b\n@e 0 0\n@b 1\n@e 1 1\n@b 2\nx y\n@e 2 0\n@b 3\n<x y>\n@e 3 0\n@x 0\n",
  });
});

test("a failed must step ends the script with its status, and the clean-up runs", async () => {
  const result = await run(
    script("Test", [step("dies", sh`echo before; sh -c 'exit 7'; echo after`), step("never", ["echo", "never"])], ["echo", "tidy"]), // biome-ignore format: one line
  );
  expect(result).toEqual({ status: 0, stdout: "@b 0\nbefore\n@e 0 7\n@b cleanup\ntidy\n@e cleanup 0\n@x 7\n" });
});

test("only its command gets a secret, byte for byte", async () => {
  const secret = new Secret("TOKEN", `a'b"c $d \\ \n é`);
  const result = await run(
    script("Test", [
      step("has it", withEnvironment([["TOKEN", secret]], ["printenv", "TOKEN"])),
      attempt("has not", ["printenv", "TOKEN"]),
    ]),
  );
  expect(result.stdout).toContain(`@b 0\na'b"c $d \\ \n é\n@e 0 0\n@b 1\n@e 1 1\n`);
});

test("a value with a NUL character is refused", () => {
  const what = script("Test", [step("x", ["echo", new Secret("TOKEN", "a\0b")])]);
  expect(() => renderScript(what, NONCE)).toThrow("the value of TOKEN contains a NUL character");
});

test("the clean-up runs even if a step ignores TERM", async () => {
  const stubborn = step("stubborn", sh`trap '' TERM; echo ready; sleep 4717; echo never`);
  const mark = join(mkdtempSync(join(tmpdir(), "mrsk-script-")), "cleaned");
  const result = await run(script("Test", [stubborn], ["touch", mark]), "ready");
  expect(result).toEqual({ status: null, stdout: "@b 0\nready\n" });
  expect(existsSync(mark)).toBe(true);
});

describe("an outcome step gets the result of the steps before it", () => {
  const outcome: Step = { id: "outcome", name: "Outcome", body: sh`echo "ended $_ok" >>outcome`, mode: "outcome" };
  const outcomes = async (...steps: Step[]) => {
    const { host, home } = machine();
    await host.run(script("Try", steps)).catch(() => {});
    return readFileSync(join(home, "outcome"), "utf8").trim().split("\n");
  };

  test.each<[string, readonly Step[], readonly string[]]>([
    ["all succeed", [step("a", sh`:`), capture("x", "b", sh`:`), attempt("c", sh`:`), outcome], ["ended 0"]],
    ["a step ends the script", [step("a", sh`exit 7`), step("b", sh`:`), outcome], ["ended 7"]],
    ["a single command ends it", [step("a", ["false"]), outcome], ["ended 1"]],
    ["a capture step ends it", [capture("x", "a", sh`exit 9`), outcome], ["ended 9"]],
    ["a try step fails", [attempt("a", sh`exit 7`), outcome], ["ended 0"]],
    ["a counted try step fails", [counted("a", sh`exit 7`), attempt("b", sh`:`), outcome], ["ended 7"]],
    ["two parts, the second fails", [step("a", sh`:`), outcome, step("b", sh`exit 3`), outcome], ["ended 0", "ended 3"]],
    ["two parts, the first may fail", [counted("a", sh`exit 3`), outcome, step("b", sh`:`), outcome], ["ended 3", "ended 0"]],
    ["a step after it ends the script", [step("a", sh`:`), outcome, step("b", sh`exit 3`)], ["ended 0"]],
  ])("%s", async (_, steps, expected) => {
    expect(await outcomes(...steps)).toEqual(expected);
  }); // biome-ignore format: one line each

  test("also if the script is ended from outside", async () => {
    const controller = new AbortController();
    const { host, home } = machine();
    const onOutput = () => controller.abort();
    const ran = host.run(script("Try", [step("a", sh`echo on; sleep 60`), outcome]), {
      signal: controller.signal,
      onOutput,
    });
    await expect(ran).rejects.toMatchObject({ name: "InterruptedError" });
    expect(readFileSync(join(home, "outcome"), "utf8")).toBe("ended 143\n");
  });

  test("the error names the failed step", async () => {
    const { host } = machine();
    const ran = host.run(script("Try", [step("a", sh`echo why >&2; exit 7`), outcome]));
    await expect(ran).rejects.toMatchObject({ step: "a", status: 7, output: "why" });
  });
});
