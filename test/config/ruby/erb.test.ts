import fc from "fast-check";
import { expect, test } from "vitest";
import { renderErb } from "../../../src/config/ruby/erb.ts";
import { ConfigError } from "../../../src/errors.ts";
import { inFolder } from "../from-yaml.ts";

const VARIABLES = new Map([
  ["NAME", "shop"],
  ["EMPTY", ""],
  ["COUNT", "3"],
  ["PADDED", "  x \n"],
  ["LIST", "a,b,,c,,"],
  ["PATH", process.env["PATH"] ?? ""],
  ["MRSK_RUBY", "off"],
]);

function render(template: string, cwd = "."): Promise<string> {
  return renderErb(template, { file: "x.erb", environment: VARIABLES, cwd, note: () => {} });
}

async function failures(template: string): Promise<readonly string[]> {
  const error: unknown = await render(template).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).problems;
}

test.each([
  ['<%= ENV["NAME"] %>', "shop"],
  ["<%= ENV['NOPE'] %>", ""],
  ['<%= ENV.fetch("NAME") %>', "shop"],
  ['<%= ENV.fetch("NOPE", "d") %>', "d"],
  ['<%= ENV.fetch("NOPE") { "b" } %>', "b"],
  ['<%= ENV["NOPE"] || "d" %>', "d"],
  ['<%= ENV["EMPTY"] || "d" %>', ""],
  ['<%= ENV["EMPTY"].presence || "d" %>', "d"],
  ['<%= ENV["NAME"] && 1 %>', "1"],
  ['<%= !ENV["NAME"] %>', "false"],
  ['<%= ENV["NAME"] == "shop" ? "yes" : "no" %>', "yes"],
  ['<%= ENV["NAME"] != "shop" %>', "false"],
  ['<%= "#{ENV["NAME"]}-y" %>', "shop-y"],
  ['<%= "a" + ENV["NAME"] %>', "ashop"],
  ['<%= ENV["COUNT"].to_i + 1 %>', "4"],
  ["<%= 1 + 1.5 %>", "2.5"],
  ["<%= 3.0 %>", "3.0"],
  ["<%= 1 == 1.0 %>", "true"],
  ['<%= ENV["PADDED"].strip.upcase %>', "X"],
  ['<%= ENV["LIST"].split(",").join("+") %>', "a+b++c"],
  ['<%= ENV["NOPE"]&.strip %>', ""],
  ['<%= ENV["NOPE"].to_s %>', ""],
  ["<%= nil %><%= true %>", "true"],
  ["<%= `echo hi` %>", "hi\n"],
  ["<%= `echo hi`.chomp %>", "hi"],
  ['<%= %x(echo $NAME #{ENV["COUNT"]}).strip %>', "shop 3"],
  ["<% x = 'v' %><%= x %>", "v"],
  ["<% x ||= 'v' %><%= x %>", "v"],
  ["<%= 'yes' if ENV['NAME'] %>", "yes"],
  ["<%= 'yes' unless ENV['NAME'] %>", ""],
  ["a<% if ENV['NOPE'] %>b<% elsif ENV['NAME'] %>c<% else %>d<% end %>e", "ace"],
  ["a<% unless ENV['NOPE'] %>b<% else %>c<% end %>", "ab"],
  ["<%# not this %>x", "x"],
  ["<%% raw %>", "<% raw %>"],
  ["a\n<% x = 1 -%>\nb", "a\nb"],
  ["a\n  <%- x = 1 -%>\nb", "a\nb"],
  ["<% require 'dotenv' %><% Dotenv.load %>x", "x"],
  ['é<%= "é" %>', "éé"],
  ["<%= ['a', 'b'] %>", '["a", "b"]'],
])("%s renders as in Ruby", async (template, text) => {
  expect(await render(template)).toBe(text);
});

test("files are read from the working directory", async () => {
  const text = await inFolder({ secret: "abc\n" }, (cwd) => render('<%= File.read("secret").strip %>', cwd));
  expect(text).toBe("abc");
});

test("each failed tag is reported with its position and what to write", async () => {
  expect(
    await failures(`a: é<%= Time.now %>
<%= ENV.fetch("NOPE") %>
b: <%= ENV["NOPE"].strip %> <%= File.read("no-such-file") %>
c: <%= \`echo oops >&2; exit 3\` %>
d: <% if true %><%= foo %><% end %>
`),
  ).toEqual([
    'x.erb:1:9: `Time.now` is not in the supported part of Ruby: MRSK_RUBY=off forbids to evaluate it with ruby; pass the value in a variable: ENV["NAME"]',
    "x.erb:2:5: NOPE is not set (required by ENV.fetch)",
    'x.erb:3:8: `strip` cannot be called like this: `ENV["NOPE"].strip` (ENV["NOPE"] is nil)',
    "x.erb:3:33: cannot read no-such-file: no such file",
    "x.erb:4:8: `echo oops >&2; exit 3` failed (exit status 3): oops",
    'x.erb:5:21: `foo` is not in the supported part of Ruby: MRSK_RUBY=off forbids to evaluate it with ruby; pass the value in a variable: ENV["NAME"]',
  ]);
});

test("invalid Ruby is reported once, and nothing runs", async () => {
  expect(await failures("a\n<% if true %>\n<%= `touch should-not-be-there` %>")).toEqual([
    expect.stringMatching(/^x\.erb:\d+:\d+: not valid Ruby: /) as string,
  ]);
  expect(await failures("a: <%= 1")).toEqual(["x.erb:1:4: this tag is not closed: write %> at its end"]);
});

test("a text without tags is not changed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      fc.pre(!text.includes("<%"));
      expect(await render(text)).toBe(text);
    }),
  );
});

test("text around tags is not changed, with any characters", async () => {
  const plain = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("<%") && !text.endsWith("<"));
  await fc.assert(
    fc.asyncProperty(plain, plain, async (before, after) => {
      expect(await render(`${before}<%= "x" %>${after}`)).toBe(`${before}x${after}`);
    }),
  );
});
