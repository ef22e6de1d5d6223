import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { envify } from "../../../src/cli/envify.ts";
import { loadEnvironment } from "../../../src/config/env/environment.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { evaluateWithRuby } from "../../../src/config/ruby/external-ruby.ts";
import { renderErb } from "../../../src/config/ruby/erb.ts";
import { type Files, inFolder, withRequired } from "../from-yaml.ts";

const PATH = process.env["PATH"]!;

/** Calls `work` in a folder with a `ruby` that runs these lines of shell. */
function withRuby<T>(
  shell: string,
  work: (given: { cwd: string; environment: Awaited<ReturnType<typeof loadEnvironment>> }) => Promise<T>,
  { files = {}, more = {} }: { files?: Files; more?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  return inFolder({ ...files, ruby: `#!/bin/sh\n${shell}\n` }, async (cwd) => {
    chmodSync(join(cwd, "ruby"), 0o755);
    const processEnvironment = { PATH: `${cwd}:${PATH}`, ...more };
    return work({ cwd, environment: await loadEnvironment({ cwd, destination: undefined, processEnvironment }) });
  });
}

const answer = (value: unknown) => `cat > input; env > environment; printf '%s\\n' "$@" > words; cat <<'END'
${JSON.stringify(value)}
END`;

const TEMPLATE = withRequired('x-a: <%= Time.now %>\nenv: {A: <%= ENV["A"] %>}\n');

test("code beyond the known part is evaluated by ruby, and a note names it", async () => {
  const lines = TEMPLATE.replace(/<%= Time.*%>/, "now")
    .replace(/<%= ENV.*%>/, "secret")
    .split("\n");
  const parts = lines.slice(0, -1).map((line, index) => [index + 1, `${line}\n`]);
  await withRuby(
    answer({ parts, set: { NEW: "v" }, removed: ["OLD"] }),
    async ({ cwd, environment }) => {
      const config = await loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment });
      expect(config.env.clear.get("A")).toBe("secret");
      expect(config.notes).toEqual([
        "deploy.yml:5:10: `Time.now` is not in the supported part of Ruby, so the ruby of this machine evaluated the file",
      ]);
      expect(JSON.parse(readFileSync(join(cwd, "input"), "utf8"))).toMatchObject({ template: TEMPLATE });
      expect(readFileSync(join(cwd, "environment"), "utf8")).toContain("A=secret\n");
      expect(readFileSync(join(cwd, "environment"), "utf8")).toContain("B=by-command\n");
      const words = readFileSync(join(cwd, "words"), "utf8");
      expect(words).toMatch(/^-EUTF-8\n-e\n/);
      expect(words).not.toMatch(/secret|x-a|by-command/);
      expect(await environment.get("NEW")).toBe("v");
      expect(await environment.get("OLD")).toBeUndefined();
    },
    { files: { "deploy.yml": TEMPLATE, ".env": "A=secret\nB=$(echo by-command)\nOLD=1\n" } },
  );
});

test("mistakes in the text of ruby have the line of the template", async () => {
  const text = withRequired("<% Time.now %>\nproxi: 1\n<%= 1 %>\n");
  const parts = text.split("\n").map((line, index) => [index + 1, `${line.replace(/<%.*%>/, "")}\n`]);
  await withRuby(
    answer({ parts }),
    async ({ cwd, environment }) => {
      const loading = loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment });
      await expect(loading).rejects.toMatchObject({ problems: [expect.stringMatching(/^deploy\.yml:6:1: proxi: /)] });
    },
    { files: { "deploy.yml": text } },
  );
});

function failure(shell: string, template = "a\n<%= Time.now %>"): Promise<unknown> {
  return withRuby(shell, ({ cwd, environment }) =>
    renderErb(template, { file: "x.erb", environment, cwd, note: () => {} }).catch(
      (error: { problems?: unknown }) => error.problems ?? error,
    ),
  );
}

test.each([
  [
    answer({ error: "NameError: uninitialized constant Foo", line: 2 }),
    "x.erb:2:1: ruby: NameError: uninitialized constant Foo",
  ],
  [
    `echo hint >&2; ${answer({ error: "KeyError: key not found", line: 0 })}`,
    "x.erb:1:1: ruby: KeyError: key not found (it printed: hint)",
  ],
  ["echo 'no version is set' >&2; exit 126", "x.erb:1:1: ruby failed (exit status 126): no version is set"],
  ["echo garbage", "x.erb:1:1: ruby failed (exit status 0)"],
])("a failure of ruby is reported with its message and line: %s", async (shell, problem) => {
  expect(await failure(shell)).toEqual([problem]);
});

test("ruby has a limit of time, also if a command that it started goes on, and a limit of output", async () => {
  await withRuby("sleep 30; echo", async ({ cwd, environment }) => {
    const result = await evaluateWithRuby("<%= Time.now %>", { cwd, environment, timeLimitMs: 300 });
    expect(result).toEqual({ kind: "failed", offset: 0, message: "ruby took longer than 0.3 seconds" });
  });
  expect(await failure("yes")).toEqual(["x.erb:1:1: ruby printed more than 4000000 characters"]);
});

test("nothing is evaluated twice: ruby gets a template with an unknown name before its commands run", async () => {
  await withRuby(answer({ parts: [[1, "x"]] }), async ({ cwd, environment }) => {
    const template = "<% `touch ran` %><%= Time.now %>";
    expect(await renderErb(template, { file: "x.erb", environment, cwd, note: () => {} })).toBe("x");
    expect(existsSync(join(cwd, "ran"))).toBe(false);
  });
});

test("assignments take effect once, if ruby evaluates the template after all", async () => {
  await withRuby(answer({ parts: [[1, "x"]] }), async ({ cwd, environment }) => {
    const template = '<% ENV["A"] = "1" %><%= {a: 1} %>';
    const notes: string[] = [];
    expect(await renderErb(template, { file: "x.erb", environment, cwd, note: (text) => notes.push(text) })).toBe("x");
    expect(notes).toHaveLength(1);
    expect(readFileSync(join(cwd, "environment"), "utf8")).not.toMatch(/^A=/m);
    expect(await environment.get("A")).toBeUndefined();
  });
});

test("without ruby, or if MRSK_RUBY is off, the construct is refused with what to do", async () => {
  await inFolder({}, async (cwd) => {
    const environment = new Map([["PATH", cwd]]);
    await expect(
      renderErb("a\n<%= Time.now %>", { file: "x.erb", environment, cwd, note: () => {} }),
    ).rejects.toMatchObject({
      problems: [
        'x.erb:2:5: `Time.now` is not in the supported part of Ruby: install ruby on this machine to evaluate it, or pass the value in a variable: ENV["NAME"]',
      ],
    });
  });
  await withRuby(
    "touch ran",
    async ({ cwd, environment }) => {
      await expect(
        renderErb("<%= Time.now %>", { file: "x.erb", environment, cwd, note: () => {} }),
      ).rejects.toMatchObject({
        problems: [
          'x.erb:1:5: `Time.now` is not in the supported part of Ruby: MRSK_RUBY=off forbids to evaluate it with ruby; pass the value in a variable: ENV["NAME"]',
        ],
      });
      expect(existsSync(join(cwd, "ran"))).toBe(false);
    },
    { more: { MRSK_RUBY: "off" } },
  );
});

test("envify reports that ruby evaluated the template", async () => {
  const files = { ".env.erb": "A=<%= Time.now %>\n" };
  await withRuby(
    answer({ parts: [[1, "A=now\n"]] }),
    async ({ cwd }) => {
      const notes: string[] = [];
      await envify(cwd, undefined, { PATH: `${cwd}:${PATH}` }, (text) => notes.push(text));
      expect(readFileSync(join(cwd, ".env"), "utf8")).toBe("A=now\n");
      expect(notes).toEqual([expect.stringMatching(/^\.env\.erb:1:7: `Time\.now` is not/)]);
    },
    { files },
  );
});

test("invalid Ruby is not given to ruby", async () => {
  expect(await failure("touch ran; exit 1", "<% if Time.now %>")).toEqual([
    expect.stringMatching(/^x\.erb:1:\d+: not valid Ruby: /) as string,
  ]);
});

const hasRuby = spawnSync("ruby", ["-e", "exit"]).status === 0;

test.skipIf(!hasRuby)("the ruby of this machine evaluates a template as Kamal does", async () => {
  await inFolder({}, async (cwd) => {
    const environment = await loadEnvironment({ cwd, destination: undefined, processEnvironment: { PATH, A: "a" } });
    writeFileSync(join(cwd, "x"), "");
    const evaluate = (template: string) =>
      renderErb(template, { file: "x.erb", environment, cwd, note: () => {} }).catch(
        (error: { problems?: unknown }) => error.problems ?? error,
      );
    const template = `<% Time.now; puts "not in the text" -%>
<% [1, 2].each do |x| -%>
- é<%= x %>
<% end -%>
<%= ENV["A"] %> <%= __dir__ %> <%= \`echo hi\`.strip %> <%= Dir["*"].join %><% ENV["B"] = "b" %>
`;
    expect(await evaluate(template)).toBe("- é1\n- é2\na . hi x\n");
    expect(await environment.get("B")).toBe("b");
    expect(await evaluate("a\n<%= Time.now; raise 'no' %>")).toEqual(["x.erb:2:1: ruby: RuntimeError: no"]);
    expect(await evaluate("a\n<%= Time.now; `exit 3` %>")).toEqual([
      "x.erb:2:1: ruby: a command failed (exit status 3): exit 3",
    ]);
    expect(await evaluate("<%= Time.now && nil %><%= `exit 3`; $?.exitstatus %>")).toBe("3");
  });
});
