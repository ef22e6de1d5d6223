import { expect, test } from "vitest";
import { readPlain } from "../../../src/config/yaml/psych.ts";
import { configOf, problemsOf, withRequired } from "../from-yaml.ts";

test.each([
  ["yes", true],
  ["No", false],
  ["on", true],
  ["OFF", false],
  ["TRUE", true],
  ["y", "y"],
  ["n", "n"],
  ["~", null],
  ["", null],
  ["Null", null],
  ["0755", 493],
  ["-017", -15],
  ["08", "08"],
  ["0x1F", 31],
  ["0b101", 5],
  ["1_000", 1000],
  ["1,000", 1000],
  ["+12", 12],
  ["1e3", "1e3"],
  ["1.5e+3", 1500],
  [".5", 0.5],
  ["1.", 1],
  [".", "."],
  ["-.inf", Number.NEGATIVE_INFINITY],
  [".nan", Number.NaN],
  ["53:53", 193_980],
  ["12:30", 45_000],
  ["1:02:03", 3723],
  ["80:80", "80:80"],
  ["3306:3306", "3306:3306"],
  ["2023-06-01", "2023-06-01"],
  [":80", ":80"],
  ["10.0.0.1", "10.0.0.1"],
  ["1g", "1g"],
])("%s is read as Ruby reads it", (text, value) => {
  expect(readPlain(text).value).toBe(value);
});

test.each([
  ["20.10", "20.1"],
  ["20.0", "20.0"],
  ["1_0.50", "10.5"],
  ["123456789012345678901234567890", "123456789012345678901234567890"],
  ["0.00001", "1.0e-05"],
  ["12345678901234567890.5", "1.2345678901234567e+19"],
  ["yes", "true"],
  ["~", ""],
])("%s becomes the text of its to_s in Ruby: %s", (text, ruby) => {
  expect(readPlain(text).ruby).toBe(ruby);
});

test("values and keys of env and labels are the text of their to_s in Ruby", async () => {
  const config = await configOf(
    withRequired("env: {A: yes, B: 1, C: , D: 20.10, E: 12:30, F: '012', no: x, 010: y}\nlabels: {a: 0755}\n"),
  );
  expect(Object.fromEntries(config.env.clear)).toEqual({
    A: "true",
    B: "1",
    C: "",
    D: "20.1",
    E: "45000",
    F: "012",
    false: "x",
    8: "y",
  });
  expect(config.roles[0]!.labels.get("a")).toBe("493");
});

test("53:53 remains a text for ports", async () => {
  const config = await configOf(
    withRequired(`accessories:
  dns: {image: x, host: 10.0.0.2, port: 53:53, options: {publish: [22:22]}, volumes: [1:1]}
`),
  );
  expect(config.accessories[0]).toMatchObject({
    publish: "53:53",
    options: new Map([["publish", ["22:22"]]]),
    volumes: ["1:1"],
  });
});

test("tags of the plain types are read, all others are refused", async () => {
  const config = await configOf(withRequired('env: {A: !!str 0755, B: !!int "7", C: ! x}\n'));
  expect(Object.fromEntries(config.env.clear)).toEqual({ A: "0755", B: "7", C: "x" });
  expect(await problemsOf(withRequired("env: {A: !ruby/object:Foo x}\n"))).toEqual([
    "deploy.yml:5:27: the tag !ruby/object:Foo is not supported: write the plain value",
  ]);
});

test("an alias without an anchor is refused, and so is an alias inside its own anchor", async () => {
  expect(await problemsOf(withRequired("labels: {a: *nope}\n"))).toEqual([
    expect.stringContaining("deploy.yml:5:13: "),
  ]);
  expect((await problemsOf(withRequired("x-a: &a [*a]\n"))).length).toBeGreaterThan(0);
});
