import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { confirm } from "../../src/cli/confirm.ts";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";

async function prompted(typed: string): Promise<{ answer: boolean; printed: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  input.end(typed);
  const answer = await confirm("Sure?", { input, output, signal: new AbortController().signal });
  output.end();
  return { answer, printed: (await output.toArray()).join("") };
}

test.each([
  ["y\n", true],
  ["N\n", false],
  ["\n", false],
  ["y", true],
])("%j is %s, with one prompt", async (typed, answer) => {
  expect(await prompted(typed)).toEqual({ answer, printed: "Sure? [y, N] (N) " });
});

test.each(["", "Y\nyes\n"])("after %j the end of input is an error, without a further prompt", async (typed) => {
  await expect(prompted(typed)).rejects.toMatchObject({
    name: "UsageError",
    exitCode: 2,
    message: "Aborted: standard input ended without an answer",
    hint: "Run it in a terminal, or use -y to skip this prompt.",
  });
});

test("Ctrl-C ends the prompt", async () => {
  const controller = new AbortController();
  const asking = confirm("Sure?", { input: new PassThrough(), output: new PassThrough(), signal: controller.signal });
  controller.abort();
  await expect(asking).rejects.toMatchObject({ name: "InterruptedError", exitCode: 130 });
});

test("any other answer is prompted for again", async () => {
  const again = "Your response must be one of: [y, N]. Please try again.\nSure? [y, N] (N) ";
  expect(await prompted("Y\nyes\ny\n")).toEqual({ answer: true, printed: `Sure? [y, N] (N) ${again}${again}` });
});

test.each(["remove", "accessory remove db", "downgrade", "traefik downgrade", "accessory downgrade db"])(
  "%s in a pipe without an answer prints one error and exits with 2",
  async (typed) => {
    const input = new PassThrough();
    input.end();
    const stdin = vi.spyOn(process, "stdin", "get").mockReturnValue(input as unknown as typeof process.stdin);
    const accessories = "accessories: { db: { image: 'postgres:16', host: 127.0.0.1 } }\n";
    const result = await mrsk(project({ "config/deploy.yml": UNREACHABLE + accessories }), ...typed.split(" "));
    stdin.mockRestore();
    expect(result).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("Aborted: standard input ended without an answer") as string,
    });
  },
);
