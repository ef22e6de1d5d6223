import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LocalEnvironment } from "../../../src/config/env/environment.ts";
import { renderErb } from "../../../src/config/ruby/erb.ts";
import { inFolder } from "../from-yaml.ts";
import { RUBY_TABLE } from "./ruby-table.ts";

const VARIABLES = { PATH: process.env["PATH"], NAME: "shop", COUNT: "3" };

function render(template: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const environment = new LocalEnvironment("/tmp", { ...VARIABLES, MRSK_RUBY: "off", ...more });
  return renderErb(template, { file: "x.erb", environment, cwd: "/tmp", note: () => {} });
}

test.each(RUBY_TABLE)("%s renders as in Ruby", async (template, text) => {
  expect(await render(template)).toBe(text);
});

const hasRuby = spawnSync("ruby", ["-e", "exit"]).status === 0;

const SCRIPT = `
%w[erb json yaml base64 digest cgi uri shellwords].each { |name| require name }
texts = JSON.parse($stdin.read).map do |template|
  text = ERB.new(template, trim_mode: "-").result
  %w[NEW NEW2].each { |name| ENV.delete(name) }
  text
end
print JSON.generate(texts)
`;

test.skipIf(!hasRuby)("the ruby of this machine renders the table in the same way", () => {
  const { stdout } = spawnSync("ruby", ["-EUTF-8", "-W0", "-e", SCRIPT], {
    cwd: "/tmp",
    env: VARIABLES,
    input: JSON.stringify(RUBY_TABLE.map(([template]) => template)),
    encoding: "utf8",
  });
  expect(JSON.parse(stdout)).toEqual(RUBY_TABLE.map(([, text]) => text));
});

test.each([
  ['<%= ENV["NOPE"].presence || "d" %>', "d"],
  ['<%= "Feature/Add a_b!".parameterize %>', "feature-add-a_b"],
  ["<%= [1, nil, ''].compact_blank.inspect %>", "[1]"],
  ["<%= 1.in?([1, 2]) %>", "true"],
  ["<%= %w[a b].exclude?('c') %>", "true"],
  ['<%= "a  b ".squish %>', "a b"],
  ['<%= "HostName".underscore.dasherize %>', "host-name"],
  ["<%= {a: {b: 1}}.deep_merge({a: {c: 2}})[:a].keys.inspect %>", "[:b, :c]"],
])("%s renders as with ActiveSupport", async (template, text) => {
  expect(await render(template)).toBe(text);
});

test("the example of the guide renders", async () => {
  const guide = readFileSync(new URL("../../../src/docs/erb.md", import.meta.url), "utf8");
  const template = /^```erb\n(.*?)^```/ms.exec(guide)![1]!;
  const files = { "hosts.json": '[{"ip": "10.0.0.1", "role": "web"}, {"ip": "10.0.0.2", "role": "db"}]' };
  const git = "#!/bin/sh\ncase $1 in rev-parse) echo 123 ;; *) echo a/b ;; esac\n";
  const text = await inFolder({ ...files, git }, async (cwd) => {
    chmodSync(join(cwd, "git"), 0o755);
    const environment = new LocalEnvironment(cwd, { PATH: `${cwd}:${VARIABLES.PATH}`, MRSK_RUBY: "off" });
    return renderErb(template, { file: "x.erb", environment, cwd, note: () => {} });
  });
  expect(text).toBe(`

service: shop
servers:
  web:
    hosts:
      - 10.0.0.1
builder:
  args:
    COMMIT: 123
    BRANCH: a-b
`);
});

const piece = fc.string({ unit: "grapheme" }).filter((text) => !/<%|%>/.test(text) && !/[<%]$|^[%>]/.test(text));

test("a loop repeats the text between its tags, unchanged", async () => {
  await fc.assert(
    fc.asyncProperty(piece, piece, piece, fc.nat(5), async (before, inside, after, times) => {
      const template = `${before}<% ${times}.times do |i| %>${inside}<%= i %><% end %>${after}`;
      const repeated = Array.from({ length: times }, (_, index) => `${inside}${index}`).join("");
      expect(await render(template)).toBe(`${before}${repeated}${after}`);
    }),
  );
});

test("map and join give what JavaScript gives", async () => {
  const word = fc.stringMatching(/^[a-z]{0,5}$/);
  await fc.assert(
    fc.asyncProperty(fc.array(word), word, async (words, separator) => {
      const list = JSON.stringify(words);
      const text = await render(`<%= ${list}.map(&:upcase).reject(&:empty?).join("${separator}") %>`);
      const expected = words.map((one) => one.toUpperCase()).filter((one) => one !== "");
      expect(text).toBe(expected.join(separator));
    }),
  );
});

test.each([
  ["<% loop { } %>", "this and what precedes it take too many steps"],
  ["<% while true do %>x<% end %>", "this and what precedes it take too many steps"],
  ["<% while true %><% end %>", "this and what precedes it take too many steps"],
  ["<% 100000000.times { } %>", "the value gets larger than 1000000 characters"],
  ["<% a = [1] %><% a.each { |x| a << x } while true %>", "this and what precedes it take too many steps"],
  ["<% a = [] %><% a << a %><%= a %>", "lists are nested more than 100 levels deep"],
  ["<% def f(x); f(x); end %><% f(1) %>", "this is nested too deeply"],
  ['<% x = "a" %><% 100.times { x += x } %>', "the value gets larger than 1000000 characters"],
  ["<%= JSON.parse('[' * 200 + ']' * 200) %>", "JSON is nested more than 100 levels deep"],
])("%s ends at a limit", async (template, message) => {
  await expect(render(template)).rejects.toMatchObject({
    problems: expect.arrayContaining([expect.stringContaining(message)]) as unknown,
  });
});

test("failures inside of blocks have their positions, each once", async () => {
  const template = `<% %w[a b].each do |h| %>
- <%= ENV.fetch("NOPE") %> <%= h.nope %>
<% end %>
<%= [1, 2].map { |x| x + nil.foo } %>
`;
  await expect(render(template)).rejects.toMatchObject({
    problems: [
      "x.erb:2:7: NOPE is not set (required by ENV.fetch)",
      expect.stringMatching(/^x\.erb:2:32: `nope` cannot be called like this: `h\.nope`/) as string,
      "x.erb:4:26: `foo` cannot be called like this: `nil.foo`",
    ],
  });
});

test("rescue hides what Ruby raises, but no failed command and nothing unsupported", async () => {
  expect(await render('<%= `no-such-program-here` rescue "none" %>')).toBe("none");
  await expect(render('<%= `exit 3` rescue "none" %>')).rejects.toMatchObject({
    problems: ["x.erb:1:5: `exit 3` failed (exit status 3)"],
  });
  await expect(render('<%= Time.now rescue "none" %>')).rejects.toMatchObject({
    problems: [expect.stringContaining("`Time.now` is not in the supported part of Ruby") as string],
  });
});
