import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildProgram } from "../../src/cli/main.ts";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";

/** The words of a command line, and the files of its project. */

test.each(["../../x", "a/b", "..", "", "-x", "a b"])("every command refuses %j as a destination", async (name) => {
  const folder = project({ "config/deploy.yml": UNREACHABLE, "outside/.env": "", "..x.erb": "", ".env.erb": "A=1\n" });
  const commands = buildProgram().commands.filter((command) => command.commands.length === 0);
  expect(commands.length).toBeGreaterThan(10);
  const before = readdirSync(folder, { recursive: true });
  for (const command of commands) {
    const result = await mrsk(folder, `--destination=${name}`, command.name());
    expect(result).toMatchObject({ status: 2, stdout: "" });
    expect(result.stderr).toContain(`'${name}' cannot be a destination: it becomes part of file names`);
  }
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
});

test("envify writes nothing outside the project", async () => {
  const folder = project({ "inner/project/.env.erb": "A=1\n", "inner/x.erb": "A=1\n" });
  mkdirSync(join(folder, "inner/project/.env."), { recursive: true });
  const result = await mrsk(join(folder, "inner/project"), "envify", "-d", "/../../x");
  expect(result.status).toBe(2);
  expect(existsSync(join(folder, "inner/x"))).toBe(false);
});

test("envify replaces a link by a new file, and does not follow it", async () => {
  const folder = project({ "project/.env.erb": "A=1\n", target: "kept\n", other: "kept\n" });
  const here = join(folder, "project");
  symlinkSync(join(folder, "target"), join(here, ".env.new"));
  symlinkSync(join(folder, "other"), join(here, ".env"));
  expect(await mrsk(here, "envify")).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(readFileSync(join(folder, "target"), "utf8")).toBe("kept\n");
  expect(readFileSync(join(folder, "other"), "utf8")).toBe("kept\n");
  expect(readFileSync(join(here, ".env"), "utf8")).toBe("A=1\n");
  expect(lstatSync(join(here, ".env")).isSymbolicLink()).toBe(false);
  expect(statSync(join(here, ".env")).mode & 0o777).toBe(0o600);
  expect(readdirSync(here).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([".env", ".env.erb", ".env.new"]);
});

test("envify does not change .env if the template fails or .env is a folder", async () => {
  const folder = project({ ".env.erb": '<%= ENV.fetch("NOPE") %>\n', ".env": "A=before\n" });
  expect(await mrsk(folder, "envify")).toMatchObject({
    status: 3,
    stderr: "ERROR (ConfigError): .env.erb:1:5: NOPE is not set (required by ENV.fetch)\n",
  });
  expect(readFileSync(join(folder, ".env"), "utf8")).toBe("A=before\n");
  const other = project({ ".env.erb": "A=1\n", ".env/x": "" });
  const result = await mrsk(other, "envify");
  expect(result.status).toBe(3);
  expect(result.stderr).toMatch(/^ERROR \(ConfigError\): Cannot write \.env: /);
  expect(readdirSync(other).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([".env", ".env.erb"]);
});

test("init does not write through a broken link", async () => {
  const folder = project({ "project/.kamal/.keep": "" });
  const here = join(folder, "project");
  symlinkSync(join(folder, "elsewhere"), join(here, ".kamal/secrets"));
  expect((await mrsk(here, "init")).status).toBe(0);
  expect(existsSync(join(folder, "elsewhere"))).toBe(false);
});

test.each([
  [".env", "folder", ".env:1:1: this is a folder, and should be a file"],
  ["config/deploy.yml", "folder", "config/deploy.yml:1:1: this is a folder, and should be a file"],
  [".env", "utf16", ".env:1:1: the file is UTF-16: save it as UTF-8"],
])("%s that is a %s is one error for every command that reads it", async (file, kind, message) => {
  const folder = project({ "config/other.yml": "", ...(file === ".env" ? { "config/deploy.yml": UNREACHABLE } : {}) });
  if (kind === "folder") mkdirSync(join(folder, file));
  else writeFileSync(join(folder, file), Buffer.from("\uFEFFA=1\n", "utf16le"));
  for (const command of ["config", "deploy", "app"])
    expect(await mrsk(folder, command, ...(command === "app" ? ["details"] : []))).toEqual({
      status: 3,
      stdout: "",
      stderr: `ERROR (ConfigError): ${message}\n`,
    });
});

test("every command that opens a run reports a value that loses a part", async () => {
  const folder = project({ "config/deploy.yml": UNREACHABLE, ".env": "\nA=abc$def9\n" });
  const result = await mrsk(folder, "app", "details");
  expect(result.stderr).toContain(
    ".env:2:1: A: a $name in the value is not set, so this part of the value is lost: for a literal dollar sign, write A='…' with single quotes",
  );
  expect(result.stderr).not.toContain("def9");
});

test("a value that is too long for Linux is reported with its line, before a connection is opened", async () => {
  const folder = project({ "config/deploy.yml": UNREACHABLE, ".env": `A=1\nB=${"x".repeat(200_000)}\n` });
  expect(await mrsk(folder, "app", "details")).toEqual({
    status: 3,
    stdout: "",
    stderr:
      "ERROR (ConfigError): .env:2:1: B: with its name it is longer than the 131071 bytes that Linux takes: put it into a file of the image or of an accessory\n",
  });
});

test("an empty password or user name of the registry is reported before a connection is opened", async () => {
  const yaml = UNREACHABLE.replace("username: u, password: p", "username: [NAME], password: [WORD]");
  const folder = project({ "config/deploy.yml": yaml, ".env": "NAME=\nWORD=\n" });
  expect(await mrsk(folder, "registry", "login")).toEqual({
    status: 3,
    stdout: "",
    stderr:
      "ERROR (ConfigError): NAME is empty (required by registry/username)\nWORD is empty (required by registry/password)\n",
  });
});

test("every file of an accessory that is missing is reported with its position, before a connection is opened", async () => {
  const yaml = `${UNREACHABLE}accessories:
  db:
    image: x
    host: 127.0.0.1
    files:
      - nosuch.cnf:/etc/a
      - here.cnf:/etc/b
      - folder:/etc/c
      - {local: nosuch.erb, remote: /etc/d}
`;
  const folder = project({ "config/deploy.yml": yaml, "here.cnf": "", "folder/x": "" });
  for (const command of ["boot", "upload", "reboot"])
    expect(await mrsk(folder, "accessory", command, "db")).toEqual({
      status: 3,
      stdout: "",
      stderr: `ERROR (ConfigError): config/deploy.yml:11:9: accessories/db/files/0: there is no file nosuch.cnf
config/deploy.yml:14:9: accessories/db/files/3: there is no file nosuch.erb
`,
    });
});

test.each(["constructor", "__proto__", "toString"])(
  "docs, an alias and an accessory of the name %s are unknown",
  async (name) => {
    const folder = project({ "config/deploy.yml": UNREACHABLE });
    const docs = await mrsk(folder, "docs", name);
    expect(docs).toMatchObject({ status: 2, stdout: "" });
    expect(docs.stderr).not.toContain("bug in mrsk");
    expect((await mrsk(folder, name)).stderr).toContain(`Unknown command '${name}'`);
    expect((await mrsk(folder, "accessory", "details", name)).stderr).toContain(
      `No accessory by the name of '${name}'`,
    );
    expect((await mrsk(folder, "app", "details", "--roles", name)).stderr).toContain(`No --roles match for ${name}`);
  },
);
