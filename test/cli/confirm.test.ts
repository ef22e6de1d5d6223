import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { confirm } from "../../src/cli/confirm.ts";

async function asked(typed: string): Promise<{ answer: boolean; said: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  input.end(typed);
  const answer = await confirm("Sure?", { input, output, signal: new AbortController().signal });
  output.end();
  return { answer, said: (await output.toArray()).join("") };
}

test.each([
  ["y\n", true],
  ["N\n", false],
  ["\n", false],
  ["y", true],
])("%j is %s, asked once", async (typed, answer) => {
  expect(await asked(typed)).toEqual({ answer, said: "Sure? [y, N] (N) " });
});

test("7.1 row 16: the end of input is a no, and is not asked again", async () => {
  const said = "Sure? [y, N] (N) \nNo answer, which is a no: -y is a yes without a question.\n";
  expect(await asked("")).toEqual({ answer: false, said });
});

test("Ctrl-C ends the question", async () => {
  const controller = new AbortController();
  const asking = confirm("Sure?", { input: new PassThrough(), output: new PassThrough(), signal: controller.signal });
  controller.abort();
  await expect(asking).rejects.toMatchObject({ name: "InterruptedError", exitCode: 130 });
});

test("anything else is asked again", async () => {
  const again = "Your response must be one of: [y, N]. Please try again.\nSure? [y, N] (N) ";
  expect(await asked("Y\nyes\ny\n")).toEqual({ answer: true, said: `Sure? [y, N] (N) ${again}${again}` });
});
