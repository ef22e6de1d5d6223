import { tmpdir } from "node:os";
import { afterEach, expect, test } from "vitest";
import { LocalHost } from "../../src/hosts/local-host.ts";
import { sh } from "../../src/script/command.ts";
import { KnownSecrets } from "../../src/script/known-secrets.ts";
import { capture, script } from "../../src/script/script.ts";

afterEach(() => void delete process.env["OF_THE_PROCESS"]);

test("a command gets the given environment only, without the variables of the process", async () => {
  process.env["OF_THE_PROCESS"] = "yes";
  const environment = { PATH: process.env["PATH"]!, GIVEN: "yes" };
  const host = new LocalHost(tmpdir(), environment, () => {}, new KnownSecrets(() => []));
  const print = sh`printenv GIVEN; printenv OF_THE_PROCESS || echo no`;
  const result = await host.run(script("Print", [capture("print", "Print", print)]));
  expect(result.text("print")).toBe("yes\nno");
});
