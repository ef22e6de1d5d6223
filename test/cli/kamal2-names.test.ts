import type { Command } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { normalizeArgv } from "../../src/cli/argv.ts";
import { buildProgram } from "../../src/cli/main.ts";
import { addGlobalOptions } from "../../src/cli/options.ts";
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

/** All commands of Kamal 2.12 with all their options, hidden ones included. */
const KAMAL2 = `
accessory boot db
accessory directories db
accessory details all
accessory exec db -i --interactive --reuse --raw uname -a
accessory logs db -s 1h --since 1h -n 5 --lines 5 -g x --grep x --grep-options -i -f --follow -T --skip-timestamps
accessory pull_image db
accessory reboot all
accessory remove db -y --confirmed
accessory remove_container db
accessory remove_image db
accessory remove_service_directory db
accessory restart db
accessory start db
accessory stop db
accessory upgrade all --rolling -y --confirmed
accessory upload db
app boot
app containers
app details
app exec -i --interactive --reuse -e A:1 --env A:1 --detach --raw uname -a
app images
app live
app logs -s 1h --since 1h -n 5 --lines 5 -g x --grep x --grep-options -i -f --follow -T --skip-timestamps --container-id 1a
app maintenance --drain-timeout 5 --message Soon
app remove
app remove_app_directories
app remove_container 1
app remove_containers
app remove_images
app stale_containers -s --stop
app start
app stop
app version
audit
build create
build deliver
build details
build dev --output docker --no-cache
build pull
build push --output registry --no-cache
build remove
config
deploy -P --skip-push --no-cache
details
docs builder
help
init --bundle
lock acquire -m x --message x
lock release
lock status
proxy boot
proxy boot_config set --publish --publish-host-ip 127.0.0.1 --http-port 80 --https-port 443 --log-max-size 10m --registry r
proxy boot_config set --repository r --image-version v1 --metrics-port 9 --debug --docker-options a=b c=d
proxy boot_config get
proxy boot_config reset
proxy details
proxy logs -s 1h --since 1h -n 5 --lines 5 -g x --grep x -f --follow -T --skip-timestamps
proxy reboot --rolling -y --confirmed
proxy remove --force
proxy remove_container
proxy remove_image
proxy remove_proxy_directory
proxy restart
proxy start
proxy stop
proxy upgrade --rolling -y --confirmed
prune all
prune containers --retain 3
prune images
redeploy -P --skip-push --no-cache
registry login -L --skip-local -R --skip-remote
registry logout -L --skip-local -R --skip-remote
registry remove -L --skip-local -R --skip-remote
registry setup -L --skip-local -R --skip-remote
remove -y --confirmed
rollback 1
secrets extract A {} --inline
secrets fetch A B --adapter test -a test --account me --from v --inline
secrets print
server bootstrap
server exec -i --interactive --raw uname -a
setup -P --skip-push --no-cache
upgrade --rolling -y --confirmed
version
`;
const GLOBAL = "-v --verbose -q --quiet --version 1 -p --primary -h a --hosts a -r web --roles web";
const MORE = "-c f --config-file f --config_file f -d s --destination s -H --skip-hooks --lock-wait";
const LAST = "--lock-wait-timeout 9 --lock-wait-interval 3";

describe("the command line accepts each command of Kamal 2.12 with its options and the global ones", () => {
  test.each(KAMAL2.trim().split("\n"))("%s", async (line) => {
    const argv = [...`${GLOBAL} ${MORE} ${LAST}`.split(" "), ...line.split(" ")];
    const program = buildProgram();
    let ran = 0;
    const silence = (command: Command) => {
      command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
      command.action(() => void ran++);
      for (const child of command.commands) silence(child);
    };
    silence(program);
    const { words, path, unknown } = normalizeArgv(program, argv);
    expect(unknown).toBeUndefined();
    for (const command of path) addGlobalOptions(command);
    const isHelp = await program.parseAsync(words, { from: "user" }).then(
      () => false,
      (error: { code: string }) => error.code === "commander.helpDisplayed",
    );
    expect(ran === 1 || isHelp).toBe(true);
    expect(isHelp).toBe(line === "help");
  });
});
