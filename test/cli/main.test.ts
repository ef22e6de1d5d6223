import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { withAlias } from "../../src/cli/aliases.ts";
import { normalizeArgv } from "../../src/cli/argv.ts";
import { examplesText } from "../../src/cli/examples.ts";
import { buildProgram, explain, main } from "../../src/cli/main.ts";
import { commandWords } from "../../src/cli/options.ts";
import { HostsFailedError, LockHeldError, UsageError } from "../../src/errors.ts";

const words = (...argv: string[]) => normalizeArgv(buildProgram(), argv).words.join(" ");

describe("a command line as users of the original type it", () => {
  test.each([
    ["vers", "version"],
    ["app stale", "app stale-containers"],
    ["app stale_containers --stop", "app stale-containers --stop"],
    ["deploy --skip_push", "deploy --skip-push"],
    ["-d staging app det", "-d staging app details"],
    ["app -d staging det", "app -d staging details"],
    ["deploy -h 192.0.2.1", "deploy -h 192.0.2.1"],
    ["deploy -h", "deploy --help"],
    ["--version", "version"],
    ["app exec --reuse npm run", "app exec --reuse npm run"],
    ["deploy -P --no-skip-push", "deploy"],
    ["deploy --skip_push --skip-skip_push", "deploy"],
    ["help app boot", "app boot --help"],
    ["app exec -- help", "app exec -- help"],
  ])("%s is %s", (typed, meant) => {
    expect(words(...typed.split(" "))).toBe(meant);
  });

  test("a prefix of several commands is refused, naming them", () => {
    expect(() => words("de")).toThrow("Ambiguous command de matches [deploy, details]");
  });
});

describe("an alias of the configuration", () => {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-alias-"));
  const file = join(folder, "deploy.yml");
  writeFileSync(
    file,
    `service: app
image: a/b
servers: [192.0.2.1]
registry: { username: u, password: [P] }
aliases:
  console: app exec -i --reuse "node -i"
  ours: mrsk app logs
`,
  );

  test.each([
    [["-c", file, "console", "-h", "192.0.2.1"], 2, `-c ${file} app exec -i --reuse node -i -h 192.0.2.1`],
    [["ours", "-n", "5", `--config_file=${file}`], 0, `app logs -n 5 --config_file=${file}`],
  ])("%j is what it stands for", async (argv, place, meant) => {
    expect((await withAlias(argv, place))?.join(" ")).toBe(meant);
  });

  test("a word that is none, or a configuration that cannot be read, changes nothing", async () => {
    expect(await withAlias(["nothing", "-c", file], 0)).toBeUndefined();
    expect(await withAlias(["console", "-c", join(folder, "absent.yml")], 0)).toBeUndefined();
  });
});

test("every command that is shown has an example in its help", () => {
  const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)];
  const shown = buildProgram()
    .commands.flatMap(every)
    .filter((command) => !(command as unknown as { _hidden: boolean })._hidden);
  const without = shown
    .map(commandWords)
    .filter((path) => examplesText(path) === "")
    .map((path) => path.join(" "));
  // These four write their own.
  expect(without).toEqual(["deploy", "rollback", "app exec", "accessory exec"]);
});

test("errors of use end with 2, help with 0", async () => {
  const quiet = { write: () => {} };
  expect(await main(["prune", "containers", "--retain", "many"], quiet)).toBe(2);
  expect(await main(["nosuch"], quiet)).toBe(2);
  expect(await main(["app", "--help"], quiet)).toBe(0);
  expect(await main(["app"], quiet)).toBe(0);
});

test("a known failure is told with its hint, a bug with its stack, one host's failure under its own name", () => {
  expect(explain(new UsageError("No host", { hint: "Name one." }), false)).toBe(
    "ERROR (UsageError): No host\nName one.\n",
  );
  expect(explain(new TypeError("oops"), false)).toMatch(/bug in mrsk.*TypeError: oops\n\s+at /);
  const held = new HostsFailedError([{ host: "h", reason: new LockHeldError("h", "Locked by: Ada") }]);
  expect(explain(held, false)).toContain("ERROR (LockHeldError): h: Deploy lock found on h");
});
