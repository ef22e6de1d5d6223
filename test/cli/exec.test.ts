import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { typedLine } from "../../src/cli/exec.ts";
import { words } from "../../src/commands/arguments.ts";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";

const CALLS = vi.hoisted(() => [] as unknown[][]);
vi.mock("../../src/flow/app/exec.ts", () => ({
  appExec: async (run: { filters: object }, _terminal: unknown, line: string, choice: object) =>
    void CALLS.push(["app", line, { ...choice, ...run.filters }]),
  accessoryExec: async (run: { filters: object }, _terminal: unknown, name: string, line: string, choice: object) =>
    void CALLS.push([name, line, { ...choice, ...run.filters }]),
}));
vi.mock("../../src/flow/server.ts", () => ({
  serverExec: async (run: { filters: object }, _terminal: unknown, line: string, choice: object) =>
    void CALLS.push(["server", line, { ...choice, ...run.filters }]),
}));
afterEach(() => void (CALLS.length = 0));

const folder = project({ "config/deploy.yml": UNREACHABLE });

test.each([
  [["app", "exec", "npm", "run", "migrate"], "app", "npm run migrate", {}],
  [["app", "exec", "bash", "-c", "ls | wc -l"], "app", "bash -c 'ls | wc -l'", {}],
  [["app", "exec", "psql", "-h", "db", "--version", "--help"], "app", "psql -h db --version --help", {}],
  [["app", "exec", "--reuse", "-p", "ls", "--reuse", "-d", "x"], "app", "ls --reuse -d x", { reuse: true }],
  [["app", "exec", "ls", "--", "-l"], "app", "ls -- -l", {}],
  [["app", "exec", "--", "ls", "-l"], "app", "ls -l", {}],
  [["app", "exec", "--raw", "--", "--odd", "-h"], "app", "--odd -h", { raw: true }],
  [["app", "exec", "npm run migrate"], "app", "npm run migrate", {}],
  [["app", "exec", "npm run migrate", "--reuse", "-r", "web"], "app", "npm run migrate", { roles: ["web"] }],
  [["app", "exec", "npm run", "migrate", "--all", "--reuse"], "app", "npm run migrate --all", { reuse: true }],
  [["app", "exec", "bin/rails", "db:migrate", "--trace"], "app", "bin/rails db:migrate --trace", {}],
  [["app", "exec", "help"], "app", "help", {}],
  [["accessory", "exec", "db", "psql", "-U", "me"], "db", "psql -U me", {}],
  [["accessory", "exec", "--reuse", "db", "--raw", "psql", "-e"], "db", "psql -e", { reuse: true, raw: true }],
  [["accessory", "exec", "db", "psql -U me", "--reuse"], "db", "psql -U me", { reuse: true }],
  [["server", "exec", "df", "-h", "/var lib"], "server", "df -h '/var lib'", {}],
  [["server", "exec", "-h", "127.0.0.1", "echo", "$HOME"], "server", "echo '$HOME'", { hosts: ["127.0.0.1"] }],
  [["server", "exec", "df -h | tail -1"], "server", "df -h | tail -1", {}],
] as const)("%j: what follows the first word is the command's", async (argv, where, line, choice) => {
  expect(await mrsk(folder, ...argv)).toMatchObject({ status: 0, stderr: "" });
  expect(CALLS).toEqual([[where, line, expect.objectContaining(choice)]]);
});

test.each([
  [["app", "exec"], "missing required argument 'command'"],
  [["accessory", "exec", "db"], "missing required argument 'command'"],
  [["app", "exec", "--bogus", "ls"], "Unknown option '--bogus'"],
])("%j prints one error and exits with 2", async (argv, message) => {
  expect(await mrsk(folder, ...argv)).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining(message) as string,
  });
  expect(CALLS).toEqual([]);
});

test("several words arrive as typed, with any characters", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 2 }), (typed) => {
      expect(words(typedLine(typed))).toEqual(typed);
    }),
  );
});
