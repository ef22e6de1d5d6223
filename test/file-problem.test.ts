import { mkdirSync, mkdtempSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { main } from "../src/cli/main.ts";
import { HostsFailedError } from "../src/errors.ts";
import { fileProblem } from "../src/file-problem.ts";
import { knownKeys } from "../src/ssh/host-keys/known-hosts.ts";
import { mrsk, project } from "./support/cli.ts";

const failure = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: as the system says it, ${syscall}`), { code, syscall, ...(path ? { path } : {}) });

describe("a failed file-system call becomes a readable sentence", () => {
  test.each([
    ["EACCES", "open", "/a/deploy.yml", "Cannot open /a/deploy.yml: permission denied"],
    ["EISDIR", "read", undefined, "Cannot read a file: it is a folder, not a file"],
    ["ENOENT", "open", "/a/b", "Cannot open /a/b: no such file or folder"],
    ["ENOTDIR", "mkdir", "/a/b", "Cannot make the folder /a/b: a part of the path is a file, not a folder"],
    ["ENOSPC", "write", undefined, "Cannot write a file: the disk is full"],
    ["EROFS", "open", "/a", "Cannot open /a: the file system is read-only"],
    ["EMFILE", "open", "/a", "Cannot open /a: too many open files (see `ulimit -n`)"],
    ["EDQUOT", "mkdtemp", "/tmp/x", "Cannot make the folder /tmp/x: the disk quota is used up"],
    ["EPERM", "chmod", "/a", "Cannot set the mode of /a: operation not permitted"],
  ])("%s of %s", (code, syscall, path, sentence) => {
    expect(fileProblem(failure(code, syscall, path))).toBe(sentence);
  });

  test("any other error is not changed", () => {
    expect(fileProblem(new TypeError("x is undefined"))).toBeUndefined();
    expect(fileProblem(failure("ENOENT", "spawn git", "git"))).toBeUndefined();
    expect(fileProblem(Object.assign(failure("EACCES", "connect"), { address: "/run/agent" }))).toBeUndefined();
    expect(fileProblem(failure("EWHATEVER", "open", "/a"))).toBeUndefined();
  });

  test("a failed file-system call on the way to a host is a sentence too", () => {
    const error = new HostsFailedError([{ host: "192.0.2.1", reason: failure("EROFS", "mkdir", "/root/.ssh") }]);
    expect(error).toMatchObject({
      exitCode: 3,
      message: "192.0.2.1: Cannot make the folder /root/.ssh: the file system is read-only",
    });
  });
});

/** A project in which one path is of a wrong kind. */
const BROKEN: readonly (readonly [what: string, argv: readonly string[], spoil: (folder: string) => void, message: RegExp])[] = [
  ["deploy.yml is a folder", ["config"], (at) => mkdirSync(join(at, "config/deploy.yml"), { recursive: true }), /^ERROR \(ConfigError\): config\/deploy\.yml:1:1: this is a folder, and should be a file\n$/],
  ["config is a file", ["config"], (at) => writeFileSync(join(at, "config"), ""), /^ERROR \(ConfigError\): Cannot read config\/deploy\.yml: a part of the path is a file, not a folder\n$/],
  ["config is a file where init writes", ["init"], (at) => writeFileSync(join(at, "config"), ""), /^ERROR \(FileError\): Cannot use \S+\/config\/deploy\.yml: a part of the path is a file, not a folder\n$/],
  ["deploy.yml is a link to itself", ["config"], (at) => (mkdirSync(join(at, "config")), symlinkSync("deploy.yml", join(at, "config/deploy.yml"))), /^ERROR \(ConfigError\): Cannot read config\/deploy\.yml: too many symbolic links\n$/],
  [".env is a link to itself", ["config"], (at) => symlinkSync(".env", join(at, ".env")), /^ERROR \(ConfigError\): Cannot read \.env: too many symbolic links\n$/],
  [".env.erb is a folder", ["envify"], (at) => mkdirSync(join(at, ".env.erb")), /^ERROR \(ConfigError\): \.env\.erb:1:1: this is a folder, and should be a file\n$/],
  [".env is a folder where envify writes", ["envify"], (at) => (writeFileSync(join(at, ".env.erb"), "A=1\n"), mkdirSync(join(at, ".env"))), /^ERROR \(ConfigError\): Cannot write \.env: it is a folder, not a file\n$/],
  ["the configuration's name is too long", ["config", "-c", "x".repeat(300)], () => {}, /^ERROR \(ConfigError\): Cannot read x{300}: the name is too long\n$/],
]; // biome-ignore format: one line each

test.each(BROKEN)("%s prints a sentence without a stack, and exits with 3", async (_, argv, spoil, message) => {
  const folder = project({});
  spoil(folder);
  const { status, stderr } = await mrsk(folder, ...argv);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/bug in mrsk|\n {4}at /);
  expect(status).toBe(3);
});

test("a known_hosts that is a folder is reported", () => {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-known-"));
  expect(() => knownKeys([folder], "192.0.2.1", 22)).toThrow(`Cannot read ${folder}: it is a folder, not a file`);
});

test.each([["config"], ["deploy"], ["init"], ["envify"], ["audit"], ["nonsense"]])(
  "mrsk %s reports a removed working directory, and what to do",
  async (command) => {
    const folder = mkdtempSync(join(tmpdir(), "mrsk-gone-"));
    const before = process.cwd();
    let printed = "";
    process.chdir(folder);
    rmdirSync(folder);
    try {
      expect(await main([command], { write: (text) => (printed += text) })).toBe(3);
    } finally {
      process.chdir(before);
    }
    expect(printed).toBe(
      "ERROR (FileError): The working directory cannot be used: it was removed or moved, or may not be read. " +
        "Change to the project's folder (`cd`) and run this again.\n",
    );
  },
);
