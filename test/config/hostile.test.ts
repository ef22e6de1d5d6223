import { expect, test } from "vitest";
import { renderErb } from "../../src/config/ruby/erb.ts";
import { LocalEnvironment } from "../../src/config/env/environment.ts";
import { ConfigError } from "../../src/errors.ts";
import { configOf, inFolder, problemsOf, withRequired } from "./from-yaml.ts";

/** Files that would take unlimited time or memory, or that use properties of JavaScript objects. */

async function problemsOfTemplate(template: string): Promise<readonly string[]> {
  const environment = new LocalEnvironment("/", { PATH: process.env["PATH"], MRSK_RUBY: "off" });
  const rendered: unknown = await renderErb(template, { file: "x.erb", environment, cwd: "/", note: () => {} }).catch(
    (reason: unknown) => reason,
  );
  expect(rendered).toBeInstanceOf(ConfigError);
  return (rendered as ConfigError).problems.map((line) =>
    line.replace(/ is not in the supported part of Ruby/, " is unknown").replace(/: MRSK_RUBY=off forbids .*/, ""),
  );
}

test.each([
  ['<%= "x".valueOf %>', 'x.erb:1:5: `valueOf` cannot be called like this: `"x".valueOf`'],
  ['<%= "x".constructor %>', 'x.erb:1:5: `constructor` cannot be called like this: `"x".constructor`'],
  ["<%= [1].toString %>", "x.erb:1:5: `toString` cannot be called like this: `[1].toString`"],
  ["<%= 1.hasOwnProperty %>", "x.erb:1:5: `hasOwnProperty` cannot be called like this: `1.hasOwnProperty`"],
  [
    '<%= nil.__defineGetter__("a") %>',
    'x.erb:1:5: `__defineGetter__` cannot be called like this: `nil.__defineGetter__("a")`',
  ],
  ["<%= ENV.constructor %>", "x.erb:1:5: `ENV.constructor` is unknown"],
  ["<%= File.valueOf %>", "x.erb:1:5: `File.valueOf` is unknown"],
  ["<%= 1e400.to_i %>", "x.erb:1:5: `to_i` cannot be called like this: `1e400.to_i`"],
  ["<% __text(99) %>", "x.erb:1:4: `__text(99)` is unknown"],
  ["<%= __output(1) %>", "x.erb:1:5: `__output(1)` is unknown"],
])("%s is refused: only JavaScript has this method", async (template, problem) => {
  expect(await problemsOfTemplate(template)).toEqual([problem]);
});

test.each([
  [
    "a number squared again and again",
    `<% x = 3 %>${"\n<% x = x * x %>".repeat(60)}`,
    "x.erb:16:8: the number gets longer than 10000 digits: `x * x`",
  ],
  [
    "a text doubled again and again",
    `<% x = "a" %>${'\n<% x = "#{x}#{x}" %>'.repeat(60)}`,
    'x.erb:21:8: the value gets larger than 1000000 characters: `"#{x}#{x}"`',
  ],
  [
    "a list of itself twice, again and again",
    `<% x = ["a"] %>${"\n<% x = [x, x] %>".repeat(60)}`,
    "x.erb:19:8: the value gets larger than 1000000 characters: `[x, x]`",
  ],
  [
    "lists inside lists",
    `<% x = ["a"] %>${"\n<% x = [x] %>".repeat(300)}`,
    "x.erb:101:8: lists are nested more than 100 levels deep: `[x]`",
  ],
  [
    "a text repeated",
    '<%= "a" * 99999999999999999999 %>',
    'x.erb:1:5: the value gets larger than 1000000 characters: `"a" * 99999999999999999999`',
  ],
  [
    "a long separator between many items",
    '<%= ("a " * 100000).split.join("b" * 100000) %>',
    'x.erb:1:5: the value gets larger than 1000000 characters: `("a " * 100000).split.join("b" * 100000)`',
  ],
  [
    "large values that are used many times",
    `<% x = "a" * 900000 %>${"\n<% x == x %>".repeat(60)}`,
    "x.erb:7:4: this and what precedes it take too many steps: `x`",
  ],
  ["a command without end", "<%= `yes` %>", "x.erb:1:5: `yes` printed more than 1000000 characters"],
  [
    "a file without end",
    '<%= File.read("/dev/zero") %>',
    "x.erb:1:5: cannot read it: /dev/zero:1:1: the file is larger than the 4000000 bytes allowed",
  ],
  [
    "3,000 brackets",
    `<%= ${"(".repeat(3000)}1${")".repeat(3000)} %>`,
    "x.erb:1:4: the tags are nested too deeply, or there are too many of them",
  ],
  [
    "3,000 nested conditions",
    "<% if true %>".repeat(3000),
    "x.erb:1:3: the tags are nested too deeply, or there are too many of them",
  ],
  ["200,000 open tags", "<%".repeat(200_000), "x.erb:1:1: this tag is not closed: write %> at its end"],
])("%s: refused with one error at its line", async (_, template, problem) => {
  expect(await problemsOfTemplate(template)).toEqual([problem]);
});

test("a template can be read after another was nested too deeply", async () => {
  await problemsOfTemplate(`<%= ${"(".repeat(3000)} %>`);
  expect(await renderErb("<%= 1 + 1 %>", { file: "x.erb", environment: new Map(), cwd: "/", note: () => {} })).toBe(
    "2",
  );
});

const items = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);

test.each([
  [
    "20,000 items aliased 990 times",
    `x-a: &a [${items(20_000).join(",")}]\nx-b: [${"*a, ".repeat(990)}]`,
    /^deploy\.yml:5:\d+: with its aliases, the file has more than 200000 values here$/,
  ],
  [
    "aliases of aliases",
    `x-0: &a0 [1, 2, 3]\n${items(30)
      .map((key, index) => `x-${key}: &a${index + 1} [*a${index}, *a${index}, *a${index}]`)
      .join("\n")}`,
    /^deploy\.yml:8:11: with its aliases, the file has more than 200000 values here$/,
  ],
  [
    "a map merged many times",
    `x-m: &m {${items(10_000)
      .map((key) => `${key}: 1`)
      .join(", ")}}\nx-n: {<<: [${"*m, ".repeat(200)}]}`,
    /^deploy\.yml:5:\d+: with its aliases, the file has more than 200000 values here$/,
  ],
  [
    "an alias inside its own anchor",
    "x-a: &a [*a]",
    /^deploy\.yml:5:10: \*a refers to &a from inside of it, which would never end$/,
  ],
  [
    "3,000 brackets",
    `x-a: ${"[".repeat(3000)}${"]".repeat(3000)}`,
    /^deploy\.yml:5:106: lists and maps are nested more than 100 levels deep here$/,
  ],
  ["300,000 open brackets", `x-a: ${"[".repeat(300_000)}`, /^deploy\.yml:5:106: lists and maps are nested/],
  ["3,000 dashes", `x-a:\n  ${"- ".repeat(3000)}x`, /^deploy\.yml:6:\d+: lists and maps are nested/],
  ["3,000 question marks", `x-a:\n  ${"? ".repeat(3000)}x`, /^deploy\.yml:6:\d+: lists and maps are nested/],
  [
    "2,000 levels of indentation",
    `x-a:\n${items(2000)
      .map((_, index) => `${" ".repeat(index + 1)}a:`)
      .join("\n")}`,
    /^deploy\.yml:\d+:\d+: lists and maps are nested more than 100 levels deep here$/,
  ],
])("YAML with %s is refused with one error at its position", async (_, yaml, problem) => {
  expect(await problemsOf(withRequired(yaml))).toEqual([expect.stringMatching(problem)]);
});

test.each([
  ["0x_", "0x_"],
  ["0b_", "0b_"],
  ["0x1_F", "31"],
  ["0b1_0", "2"],
  ["1_0", "10"],
])("the value %s is read as %s", async (written, value) => {
  expect((await configOf(withRequired(`labels: {a: ${written}}`))).roles[0]!.labels.get("a")).toBe(value);
});

test.each([
  ["retain_containers: 1.0e+400", "retain_containers: should be a number, not Infinity"],
  [`retain_containers: ${"9".repeat(100_000)}`, "retain_containers: should be a number"],
  ["retain_containers: .nan", "retain_containers: should be a number, not NaN"],
  ["drain_timeout: 99999999999", "drain_timeout: should be a number of seconds, at most 1000000"],
  ["ssh: {connect_timeout: 99999999999}", "ssh/connect_timeout: should be a number of seconds, at most 1000000"],
])("%s is refused as a number", async (line, problem) => {
  expect(await problemsOf(withRequired(line))).toEqual([expect.stringMatching(/^deploy\.yml:5:\d+: /)]);
  expect((await problemsOf(withRequired(line)))[0]).toContain(problem);
});

test("names that every JavaScript object has are names like any other", async () => {
  const config = await configOf(`service: app
image: acme/app
servers:
  web: {hosts: [10.0.0.1: [constructor]], labels: {__proto__: a, constructor: b, toString: c}, options: {valueOf: d}}
  constructor: [10.0.0.2]
registry: {username: u, password: p}
env: {clear: {__proto__: e, hasOwnProperty: f}, secret: [constructor], tags: {constructor: {toString: g}}}
builder: {args: {__proto__: h}}
accessories: {toString: {image: i, host: j, env: {__proto__: k}, options: {constructor: l}}}
traefik: {args: {toString: m}, labels: {valueOf: n}}
logging: {options: {__proto__: o}}
aliases: {__proto__: p, constructor: q}
`);
  const web = config.roles.find(({ name }) => name === "web")!;
  expect(config.roles.map(({ name }) => name)).toEqual(["constructor", "web"]);
  expect([...web.labels]).toEqual([
    ["__proto__", "a"],
    ["constructor", "b"],
    ["toString", "c"],
  ]);
  expect([...web.options]).toEqual([["valueOf", "d"]]);
  expect([...web.env.clear]).toEqual([
    ["__proto__", "e"],
    ["hasOwnProperty", "f"],
  ]);
  expect(web.env.secret).toEqual(["constructor"]);
  expect(web.hostEnv!.get("10.0.0.1")!.clear.get("toString")).toBe("g");
  expect([...config.builder.args]).toEqual([["__proto__", "h"]]);
  const [accessory] = config.accessories;
  expect([accessory!.name, ...accessory!.env.clear, ...accessory!.options]).toEqual([
    "toString",
    ["__proto__", "k"],
    ["constructor", "l"],
  ]);
  expect([...config.traefik.args, ...config.traefik.labels]).toEqual([
    ["toString", "m"],
    ["valueOf", "n"],
  ]);
  expect([...config.logging.options]).toEqual([["__proto__", "o"]]);
  expect([...config.aliases]).toEqual([
    ["__proto__", "p"],
    ["constructor", "q"],
  ]);
  expect(config.notes).toEqual([]);
});

test("such a name is an unknown key in a map with fixed keys", async () => {
  expect(await problemsOf(withRequired("__proto__: 1\nconstructor: 2\nboot: {toString: 3, __proto__: 4}"))).toEqual([
    "deploy.yml:5:1: __proto__: unknown key: __proto__ (the documentation lists the keys allowed here)",
    "deploy.yml:6:1: constructor: unknown key: constructor (the documentation lists the keys allowed here)",
    "deploy.yml:7:8: boot/toString: unknown key: toString (known keys: limit, wait, watch, order, parallel_roles)",
    "deploy.yml:7:21: boot/__proto__: unknown key: __proto__ (known keys: limit, wait, watch, order, parallel_roles)",
  ]);
});

test("such a name is not a variable unless it is set", async () => {
  await inFolder({ ".env": '__proto__=a\ntoString="b$valueOf"\n' }, async (cwd) => {
    const environment = new LocalEnvironment(cwd, process.env);
    environment.load(".env");
    expect(await environment.get("constructor")).toBeUndefined();
    expect(await environment.get("__proto__")).toBe("a");
    expect(await environment.get("toString")).toBe("b");
    expect(Object.entries(await environment.forCommands())).toContainEqual(["__proto__", "a"]);
  });
});
