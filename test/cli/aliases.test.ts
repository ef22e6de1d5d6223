import { afterEach, expect, test, vi } from "vitest";
import { mrsk, project } from "../support/cli.ts";

const CALLS = vi.hoisted(() => [] as unknown[][]);
const recorded = vi.hoisted(() => {
  type Given = { filters: object; config: { destination: string | undefined } };
  const record = (what: string, choice: object, { filters, config: { destination } }: Given) =>
    void CALLS.push([what, { ...choice, ...filters, destination }]);
  return {
    exec: async (run: Given, _terminal: unknown, line: string, choice: object) => record(line, choice, run),
    logs: async (run: Given, _terminal: unknown, choice: object) => record("logs", choice, run),
  };
});
vi.mock("../../src/flow/app/exec.ts", () => ({ appExec: recorded.exec }));
vi.mock("../../src/flow/app/logs.ts", () => ({ appLogs: recorded.logs }));
vi.mock("../../src/flow/server.ts", () => ({ serverExec: recorded.exec }));
afterEach(() => void (CALLS.length = 0));

const ALIASES = `aliases:
  console: app exec -i --reuse "bin/rails console"
  rails: app exec --reuse bin/rails
  runner: kamal app exec -p "bin/rails runner"
  ours: mrsk app logs
  last: ours -n 5
  errors: last -g error
  workers: app exec -r workers --reuse
  away: app logs -d staging
  round: circle
  circle: round
  tables: app exec -- psql -h db
`;
const common = `service: app
image: dhh/app
servers: { web: [192.0.2.1], workers: [192.0.2.2] }
registry: { username: u, password: p }
${ALIASES}`;
const staging = "labels: { stage: staging }\n";
const mrskProject = project({ "config/deploy.yml": common, "config/deploy.staging.yml": staging });
const kamalProject = project({
  "config/deploy.yml": `${common}builder: { arch: amd64 }\n`,
  "config/deploy.staging.yml": staging,
});
const both = [mrskProject, kamalProject];

test.each([
  ["console", "bin/rails console", { interactive: true, reuse: true }],
  ["console -r workers", "bin/rails console", { roles: ["workers"], interactive: true }],
  ["-d staging console", "bin/rails console", { destination: "staging" }],
  ["console --sandbox", "bin/rails console --sandbox", {}],
  ["rails db:migrate --trace", "bin/rails db:migrate --trace", { reuse: true }],
  ["runner puts", "bin/rails runner puts", { primary: true }],
  ["ours -n 7", "logs", { lines: 7 }],
  ["last", "logs", { lines: 5 }],
  ["last -n 9", "logs", { lines: 9 }],
  ["errors --config_file=config/deploy.yml", "logs", { lines: 5, grep: "error" }],
  ["workers -r web ls", "ls", { roles: ["web"] }],
  ["away", "logs", { destination: "staging" }],
  ["tables -d x", "psql -h db -d x", { destination: undefined }],
])("%s: words after an alias are added, and options override its own", async (typed, line, choice) => {
  for (const folder of both) {
    expect(await mrsk(folder, ...typed.split(" "))).toMatchObject({ status: 0 });
    expect(CALLS.splice(0)).toEqual([[line, expect.objectContaining(choice)]]);
  }
});

test("an argument after the quoted command of an alias stays one argument", async () => {
  await mrsk(mrskProject, "runner", "puts 1 + 1");
  expect(CALLS).toEqual([["bin/rails runner 'puts 1 + 1'", expect.anything()]]);
});

test("aliases that name each other are no commands", async () => {
  const result = await mrsk(mrskProject, "round");
  expect(result).toMatchObject({ status: 2, stderr: expect.stringContaining("Unknown command 'round'") as string });
});

test("an alias is found in a file with mistakes, which the command reports", async () => {
  const folder = project({ "config/deploy.yml": `service: app\nbogus: 1\n${ALIASES}` });
  const result = await mrsk(folder, "console");
  expect(result).toMatchObject({ status: 3, stderr: expect.stringContaining("bogus") as string });
});

test("without a readable configuration there are no aliases", async () => {
  const result = await mrsk(project({}), "console");
  expect(result).toMatchObject({ status: 2, stderr: expect.stringContaining("Unknown command 'console'") as string });
});

test.each([
  [["app", "exec", "bin/rails", "db:migrate", "-d", "staging", "--trace"]],
  [["rails", "db:migrate", "-d", "staging", "--trace"]],
])("%j: -d is the command's in a project of MRSK, and mrsk's in one of Kamal 2", async (typed) => {
  await mrsk(mrskProject, ...typed);
  expect(CALLS.splice(0)).toEqual([
    ["bin/rails db:migrate -d staging --trace", expect.objectContaining({ destination: undefined })],
  ]);
  await mrsk(kamalProject, ...typed);
  expect(CALLS).toEqual([["bin/rails db:migrate --trace", expect.objectContaining({ destination: "staging" })]]);
});

test("-c in a command names a configuration in a project of Kamal 2, as in Kamal", async () => {
  await mrsk(mrskProject, "app", "exec", "bash", "-c", "ls");
  expect(CALLS.splice(0)).toEqual([["bash -c ls", expect.anything()]]);
  const refused = await mrsk(kamalProject, "app", "exec", "bash", "-c", "ls");
  expect(refused).toMatchObject({
    status: 3,
    stderr: expect.stringContaining("Configuration file not found") as string,
  });
  expect(CALLS).toEqual([]);
});

test("after -- each word belongs to the command in every project", async () => {
  for (const folder of both) {
    await mrsk(folder, "app", "exec", "--", "bash", "-c", "ls -d x");
    await mrsk(folder, "server", "exec", "-p", "--", "df", "-h", "/");
    expect(CALLS.splice(0)).toEqual([
      ["bash -c 'ls -d x'", expect.objectContaining({ primary: false })],
      ["df -h /", expect.objectContaining({ primary: true })],
    ]);
  }
});
