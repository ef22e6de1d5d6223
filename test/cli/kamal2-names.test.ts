import { afterEach, describe, expect, test, vi } from "vitest";
import type { Run } from "../../src/flow/run.ts";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";

const CALLS = vi.hoisted(() => [] as unknown[][]);
const recorded = (name: string) => async (run: Pick<Run, "command">, choice: unknown) =>
  void CALLS.push([name, run.command.join(" "), choice]);
vi.mock("../../src/flow/traefik/traefik.ts", () => ({
  bootTraefik: recorded("boot"),
  startTraefik: recorded("start"),
  stopTraefik: recorded("stop"),
  restartTraefik: recorded("restart"),
  traefikDetails: recorded("details"),
}));
vi.mock("../../src/flow/traefik/reboot.ts", () => ({ rebootTraefik: recorded("reboot") }));
vi.mock("../../src/flow/traefik/removal.ts", () => ({ removeTraefik: recorded("remove") }));
vi.mock("../../src/flow/app/logs.ts", () => ({
  traefikLogs: async (run: Pick<Run, "command">, _terminal: unknown, choice: unknown) =>
    void CALLS.push(["logs", run.command.join(" "), choice]),
}));
vi.mock("../../src/flow/registry.ts", () => ({ login: recorded("login"), logout: recorded("logout") }));
afterEach(() => void (CALLS.length = 0));

const folder = project({ "config/deploy.yml": UNREACHABLE });

test.each([
  ["proxy boot", "boot", undefined],
  ["proxy start", "start", undefined],
  ["proxy stop", "stop", undefined],
  ["proxy restart", "restart", undefined],
  ["proxy details", "details", undefined],
  ["proxy reboot --rolling -y", "reboot", { rolling: true, confirmed: true }],
  ["proxy reboot", "reboot", { rolling: false, confirmed: false }],
  ["proxy logs -n 5 -T", "logs", { lines: 5, skipTimestamps: true }],
  ["proxy remove --force", "remove", { force: true }],
  ["registry setup -L", "login", { skipLocal: true }],
  ["registry setup --skip-remote", "login", { skipRemote: true }],
  ["registry remove -R", "logout", { skipRemote: true }],
  ["registry remove --skip_local", "logout", { skipLocal: true }],
])("%s is a further name, and hooks get the words that were typed", async (typed, work, choice) => {
  const words = typed.split(" ");
  expect(await mrsk(folder, ...words)).toMatchObject({ status: 0, stderr: "" });
  expect(CALLS).toEqual([[work, words.slice(0, 2).join(" "), choice]]);
});

test("mrsk's own name stays what hooks get", async () => {
  await mrsk(folder, "-v", "traefik", "reboot", "-y");
  expect(CALLS).toEqual([["reboot", "traefik reboot", { rolling: false, confirmed: true }]]);
});

describe("a command of Kamal 2 without a counterpart reads nothing and names what takes its place", () => {
  const bare = project({});

  test.each([
    ["upgrade", "There is nothing to upgrade"],
    ["upgrade --rolling -y -d staging", "`mrsk downgrade` replaces it with Traefik"],
    ["proxy upgrade --rolling", "There is nothing to upgrade"],
    ["accessory upgrade all -y", "There is nothing to upgrade"],
    ["proxy boot_config get", "Write them below proxy.run in a file of Kamal 2, or below traefik"],
    ["proxy boot_config set --http-port 8080 --docker-options a=b c=d", "mrsk has no boot_config"],
    ["proxy boot_config --publish set", "mrsk has no boot_config"],
    ["proxy remove_proxy_directory", "`mrsk traefik remove` removes Traefik"],
    ["app remove_app_directories", "Run `mrsk app remove`"],
    ["accessory pull_image db", "Run `mrsk accessory reboot NAME`"],
  ])("%s", async (typed, message) => {
    const result = await mrsk(bare, ...typed.split(" "));
    expect(result).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(message) as string });
  });
});
