import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { normalizeArgv } from "../../src/cli/argv.ts";
import { examplesText } from "../../src/cli/examples.ts";
import { buildProgram, explain } from "../../src/cli/main.ts";
import { commandWords } from "../../src/cli/options.ts";
import { HostsFailedError, LockHeldError, UsageError } from "../../src/errors.ts";
import { mrsk, project, UNREACHABLE } from "../support/cli.ts";

const words = (...argv: string[]) => normalizeArgv(buildProgram(), argv).words.join(" ");

describe("a command line in MRSK's forms", () => {
  test.each([
    ["app stale_containers --stop", "app stale-containers --stop"],
    ["deploy --skip_push", "deploy --skip-push"],
    ["-d staging app details", "-d staging app details"],
    ["app -d staging details", "app -d staging details"],
    ["deploy -h 192.0.2.1", "deploy -h 192.0.2.1"],
    ["deploy -h", "deploy --help"],
    ["--version", "version"],
    ["app exec --reuse npm run migrate", "app exec --reuse -- npm run migrate"],
    ["app exec bash -c ls", "app exec -- bash -c ls"],
    ["app exec -i psql -h db -d staging --reuse --help", "app exec -i -- psql -h db -d staging --reuse --help"],
    ["-- deploy -P", "deploy -P"],
    ["app exec -- ls -- -l", "app exec -- ls -- -l"],
    ["app exec ls -- -l", "app exec -- ls -- -l"],
    ["accessory exec db --reuse psql -U me", "accessory exec db --reuse -- psql -U me"],
    ["accessory exec -- db psql -U me", "accessory exec -- db psql -U me"],
    ["server exec -h 192.0.2.1 df -h /", "server exec -h 192.0.2.1 -- df -h /"],
    ["app exec -h", "app exec --help"],
    ["help app exec ls", "app exec --help"],
    ["deploy -P --no-skip-push", "deploy"],
    ["deploy --skip_push --skip-skip_push", "deploy"],
    ["help app boot", "app boot --help"],
    ["app exec -- help", "app exec -- help"],
    ["app help logs", "app logs --help"],
    ["app logs --help", "app logs --help"],
    ["app logs -n5", "app logs -n5"],
    ["app logs --lines=5 --grep_options=-v", "app logs --lines=5 --grep-options=-v"],
    ["app logs -o -C3 -g x", "app logs -o -C3 -g x"],
    ["-vd staging deploy", "-vd staging deploy"],
    ["deploy --skip-hooks --skip-skip-hooks", "deploy"],
    ["-h deploy", "--help deploy"],
    ["accessory remove_service_directory db", "accessory remove-service-directory db"],
    ["", "--help"],
    ["app", "app --help"],
    ["-d staging app", "-d staging app --help"],
    ["healthcheck", "healthcheck"],
    ["-h", "--help"],
    ["help", "--help"],
  ])("%s is %s", (typed, meant) => {
    expect(words(...typed.split(" ").filter(Boolean))).toBe(meant);
  });

  test.each([
    ["deploy -d -v", "Option '-d, --destination <name>' has no value: -v is an option too", "--destination=-v"],
    ["app logs --since --follow", "Option '-s, --since <time>' has no value: --follow is an option too", "--since="],
    ["deploy --version --skip_push", "Option '--version <version>' has no value", "--version=--skip_push"],
  ])("%s: the option is not used as a value", (typed, message, hint) => {
    expect(() => words(...typed.split(" "))).toThrowError(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringContaining(message) as string,
        hint: expect.stringContaining(hint) as string,
      }) as Error,
    );
  });

  test.each([
    ["app exec -e A:1 B:2 _C: bin/query now", "app exec -e A:1 --env B:2 --env _C: -- bin/query now"],
    ["app exec -pe A:1 B:2 --reuse x", "app exec -pe A:1 --env B:2 --reuse -- x"],
    ["app exec -e A=1 B:2", "app exec -e A=1 -- B:2"],
    ["app exec -e A:1 -- B:2", "app exec -e A:1 -- B:2"],
    ["app exec -e A:1", "app exec -e A:1"],
  ])("%s: several variables in Kamal's form belong to one -e", (typed, expected) => {
    expect(words(...typed.split(" "))).toBe(expected);
  });

  test("a quoted command is a command line: options after it are mrsk's, other words are added to it", () => {
    const typed = (...argv: string[]) => normalizeArgv(buildProgram(), argv).words;
    expect(typed("app", "exec", "npm run migrate", "--reuse", "-d", "staging")).toEqual(
      ["app", "exec", "--reuse", "-d", "staging", "--", "npm run migrate"], // prettier-ignore
    );
    expect(typed("app", "exec", "--", "/a b/program", "x")).toEqual(["app", "exec", "--", "/a b/program", "x"]);
    expect(typed("app", "exec", "npm run", "migrate", "--trace", "a b", "--reuse")).toEqual(
      ["app", "exec", "--reuse", "--", "npm run migrate --trace 'a b'"], // prettier-ignore
    );
  });

  test("in a project of Kamal 2, options of mrsk in a user's command are mrsk's, and others belong to the command", () => {
    const typed = (...argv: string[]) => normalizeArgv(buildProgram(), argv, { optionsAnywhere: true }).words.join(" ");
    expect(typed("app", "exec", "bin/rails", "db:migrate", "--trace", "-d", "staging", "-P", "x")).toBe(
      "app exec -d staging -- bin/rails db:migrate --trace -P x",
    );
    expect(typed("app", "exec", "bash", "-i", "--reuse")).toBe("app exec -i --reuse -- bash");
    expect(typed("app", "exec", "--", "psql", "-h", "db", "-d", "x")).toBe("app exec -- psql -h db -d x");
    expect(typed("app", "exec", "psql", "-i", "--", "-h", "db")).toBe("app exec -i -- psql -h db");
    expect(() => typed("app", "exec", "ls", "-d", "-v")).toThrow("Option '-d, --destination <name>' has no value");
  });

  test("a command is ambiguous if it has words that may be options of mrsk", () => {
    const isAmbiguous = (...argv: string[]) => normalizeArgv(buildProgram(), argv).ambiguous === true;
    expect(isAmbiguous("app", "exec", "ls", "-d", "x")).toBe(true);
    expect(isAmbiguous("app", "exec", "-i", "psql", "--skip_hooks")).toBe(true);
    expect(isAmbiguous("app", "exec", "ls", "-l", "--trace", "-", "x")).toBe(false);
    expect(isAmbiguous("app", "exec", "--", "ls", "-d", "x")).toBe(false);
    expect(isAmbiguous("app", "exec", "ls -d x", "--reuse")).toBe(false);
  });
});

test("every visible command has an example in its help", () => {
  const below = (command: Command): Command[] => {
    const visible = command.createHelp().visibleCommands(command);
    return command.commands.filter((child) => visible.includes(child)).flatMap((child) => [child, ...below(child)]);
  };
  const shown = below(buildProgram());
  const without = shown
    .map(commandWords)
    .filter((path) => examplesText(path) === "")
    .map((path) => path.join(" "));
  // These commands add their examples themselves.
  expect(without).toEqual(["deploy", "rollback", "app exec", "accessory exec"]);
});

describe("the command line", () => {
  const aliases = "aliases: { console: app exec -i bash, broken: nosuch }\n";
  const folder = project({ "config/deploy.yml": UNREACHABLE + aliases });

  test.each([
    ["deploy -d", "option '-d, --destination <name>' argument missing"],
    ["deploy --bogus", "Unknown option '--bogus'\n`mrsk deploy --help` lists the options."],
    ["deploy --skip-pusch", "Did you mean --skip-push?"],
    ["deploy --skip_pusch", "Did you mean --skip-push?"],
    ["deploy --dest=staging", "Unknown option '--dest'\nDid you mean --destination?"],
    ["deploy --skip", "Did you mean one of --skip-push, --skip-hooks?"],
    ["deploy -Pz", "Unknown option '-Pz'"],
    ["-V", "Unknown option '-V'\nDid you mean one of --verbose, --version?"],
    ["app -V", "Unknown option '-V'"],
    ["--bogus --help", "Unknown option '--bogus'"],
    ["deploy --bogus --help", "Unknown option '--bogus'"],
    ["deploy now", "too many arguments for 'deploy'. Expected 0 arguments but got 1."],
    ["accessory boot", "missing required argument 'name'"],
    ["lock acquire", "required option '-m, --message <text>' not specified"],
    ["app logs -n many", `expected a whole number, got "many"`],
    ["prune containers --retain=-1", `expected a whole number, got "-1"`],
    ["prune all --retain 1.5", `expected a whole number, got "1.5"`],
    ["app exec -e 1X=2 ls", "expected KEY=VALUE"],
    ["deploy -h ,", "name at least one"],
    ["deplyo", "Unknown command 'deplyo'\nDid you mean deploy?"],
    ["dep", "Unknown command 'dep'\nDid you mean deploy?"],
    ["de", "Did you mean one of deploy, details?"],
    ["rem -y", "Unknown command 'rem'\nDid you mean remove?"],
    ["vers", "Did you mean version?"],
    ["app boto", "Unknown command 'app boto'\nDid you mean app boot?"],
    ["app stale", "Did you mean app stale-containers?"],
    ["trae remove", "Unknown command 'trae'\nDid you mean traefik?"],
    ["traefik rem", "Did you mean traefik remove?"],
    ["accesory boot db", "Did you mean accessory?"],
    ["boot", "Did you mean one of app boot, accessory boot, traefik boot?"],
    ["server logs", "Did you mean one of app logs, accessory logs, traefik logs?"],
    ["healthcheck perfrom", "Did you mean healthcheck perform?"],
    ["history", "Unknown command 'history'\n`mrsk --help` lists the commands."],
    ["history --help", "Unknown command 'history'"],
    ["--help history", "Unknown command 'history'"],
    ["app nosuch --help", "Unknown command 'app nosuch'\n`mrsk app --help` lists the commands."],
    ["app help nosuch", "Unknown command 'app nosuch'"],
    ["help nosuch", "Unknown command 'nosuch'"],
    ["consloe", "Did you mean console?"],
    ["con", "Did you mean one of config, console?"],
    ["broken", "Unknown command 'nosuch'"],
  ])("%s prints one error and exits with 2", async (typed, message) => {
    const result = await mrsk(folder, ...typed.split(" "));
    expect(result).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(message) as string });
  });

  test.each([
    "",
    "help",
    "-h",
    "--help",
    "help deploy",
    "deploy -h",
    "app",
    "app help",
    "app help boot",
    "lock --help",
    "-h deploy",
    "console --help",
    "app exec --help",
  ])("%j prints help on standard output and exits with 0", async (typed) => {
    const result = await mrsk(folder, ...typed.split(" ").filter(Boolean));
    expect(result).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/^Usage: mrsk /) as string });
  });

  test("healthcheck alone is healthcheck perform", async () => {
    const result = await mrsk(folder, "healthcheck", "--version", "1");
    expect(result).toMatchObject({ status: 5, stderr: expect.stringContaining("connection refused") as string });
  });

  test("version needs no project", async () => {
    for (const typed of ["version", "--version"]) {
      expect(await mrsk(project({}), typed)).toMatchObject({ status: 0, stdout: "0.0.0-source\n" });
    }
  });

  test("the commands of Kamal that pushed env files do nothing", async () => {
    for (const typed of ["push", "delete"]) {
      expect(await mrsk(project({}), "env", typed)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining("no env files on the servers") as string,
      });
    }
  });

  test("init writes missing files, and prints what replaces the binstub", async () => {
    const bare = project({});
    expect((await mrsk(bare, "init", "--bundle")).stdout.split("\n")).toEqual([
      "Created configuration file in config/deploy.yml",
      "Created .kamal/secrets file",
      "Added .env* and .kamal/secrets* to .gitignore",
      "Added .env* and .kamal/secrets* to .dockerignore",
      "Created sample hooks in .kamal/hooks",
      "--bundle has no effect. Instead of a binstub: `npm install --save-dev mrsk`, then `npx mrsk`.",
      "",
    ]);
    for (const hook of readdirSync(join(bare, ".kamal/hooks"))) {
      expect(statSync(join(bare, ".kamal/hooks", hook)).mode & 0o777).toBe(0o755);
    }
    expect((await mrsk(bare, "init")).stdout).toBe(
      "Config file already exists in config/deploy.yml (remove first to create a new one)\n",
    );
  });

  test("envify writes .env, or the destination's, for the user alone", async () => {
    const here = project({ ".env.erb": "A=<%= 1 + 1 %>\n", ".env.staging.erb": "A=<%= 'b' %>\n" });
    expect(await mrsk(here, "envify")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await mrsk(here, "-d", "staging", "envify", "-P")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(join(here, ".env.staging"), "utf8")).toBe("A=b\n");
    expect(statSync(join(here, ".env")).mode & 0o777).toBe(0o600);
    expect(await mrsk(here, "envify", "-d", "nosuch")).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("Template not found") as string,
    });
  });

  test("config prints the resolved configuration as YAML or JSON; global options work before and after its name", async () => {
    const shown = await mrsk(folder, "config", "--version", "7");
    expect(shown).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("7") as string });
    expect(shown.stdout).not.toContain("password: p");
    const json = await mrsk(folder, "--version", "7", "config", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ version: "7" });
  });

  test("-c names another configuration, and the option after the command wins", async () => {
    const result = await mrsk(folder, "-c", "one.yml", "config", "-c", "two.yml", "--version", "1");
    expect(result).toMatchObject({ status: 3, stderr: expect.stringContaining("two.yml") as string });
  });

  test("docs explains a key", async () => {
    expect((await mrsk(folder, "docs", "hooks_path")).stdout).toContain("Folder of the hooks on this machine");
  });
});

test("a known failure is printed with its hint, a bug with its stack, the failure of one host under its name", () => {
  expect(explain(new UsageError("No host", { hint: "Name one." }), false)).toBe(
    "ERROR (UsageError): No host\nName one.\n",
  );
  expect(explain(new TypeError("oops"), false)).toMatch(/bug in mrsk.*TypeError: oops\n\s+at /);
  const held = new HostsFailedError([{ host: "h", reason: new LockHeldError("h", "Locked by: Ada") }]);
  expect(explain(held, false)).toContain("ERROR (LockHeldError): h: Deploy lock found on h");
});
