import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { localCommand } from "../../../src/config/env/local-command.ts";

const context = { cwd: tmpdir(), environment: { PATH: process.env["PATH"]! } };

test("a command that prints without end is killed, and is an error", async () => {
  await expect(localCommand("yes", context)).rejects.toThrow("printed more than 1000000 characters");
  expect(await localCommand("head -c 131072 /dev/zero | tr '\\0' x", context)).toBe("x".repeat(131_072));
});
