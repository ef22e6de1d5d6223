import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkImage } from "../../src/commands/image.ts";
import { config, runnable } from "../support/config.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";

/** Runs the check with a docker that has this image, on a host with this `uname -m`. */
function check(image: string, machine: string, known?: string): { status: number; output: string } {
  const programs = mkdtempSync(join(tmpdir(), "mrsk-image-"));
  writeFileSync(join(programs, "docker"), `#!/bin/sh\necho '${image}'\n`, { mode: 0o755 });
  writeFileSync(join(programs, "uname"), `#!/bin/sh\necho ${machine}\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${programs}:${process.env["PATH"]}` };
  try {
    const output = execFileSync("/bin/sh", ["-ec", runnable(checkImage(config(), "1", known))], {
      env,
      encoding: "utf8",
    });
    return { status: 0, output: output.trim() };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    return { status, output: stdout.trim() };
  }
}

// A machine that emulates others runs their images.
const emulates = ["x86_64", "aarch64"].some((machine) => existsSync(`/proc/sys/fs/binfmt_misc/qemu-${machine}`));

test.skipIf(emulates).each([
  ["amd64 sha256:a app", "x86_64", "amd64", 0, "sha256:a"],
  ["arm64 sha256:a app", "aarch64", "arm64", 0, "sha256:a"],
  ["riscv64 sha256:a app", "riscv64", "riscv64", 0, "sha256:a"],
  ["amd64 sha256:a app", "riscv64", "riscv64", ExitStatus.OTHER_ARCHITECTURE, "amd64 riscv64"],
  ["arm64 none app", "x86_64", "amd64", ExitStatus.OTHER_ARCHITECTURE, "arm64 x86_64"],
  ["amd64 none other", "x86_64", "amd64", ExitStatus.NO_LABEL, "other"],
  ["amd64 sha256:a ", "x86_64", "amd64", ExitStatus.NO_LABEL, ""],
])("an image that is %j, on %s, which docker calls %s", (image, machine, architecture, status, output) => {
  expect(check(image, machine)).toEqual({ status, output });
  expect(check(image, "unused", architecture)).toEqual({ status, output });
});
