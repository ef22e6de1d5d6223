import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeLiveFile, writeLiveFile } from "../../src/commands/write-live-file.ts";
import { call } from "../../src/script/call.ts";
import { lines, sh } from "../../src/script/command.ts";
import { folder, run } from "../support/fake-commands.ts";

test("a live file is written next to the directory and moved in", () => {
  const text = "a: '$x' {{`{{`}} é\n";
  expect(run(writeLiveFile("run dir/traefik", "app-web", text)).status).toBe(0);
  expect(readFileSync(join(folder(), "run dir/traefik/app-web.yml"), "utf8")).toBe(text);
  expect(readdirSync(join(folder(), "run dir"))).toEqual(["traefik"]);
  expect(readdirSync(join(folder(), "run dir/traefik"))).toEqual(["app-web.yml"]);
  run(removeLiveFile("run dir/traefik", "app-web"));
  expect(readdirSync(join(folder(), "run dir/traefik"))).toEqual([]);
});

test("a failed write keeps the previous live file", () => {
  run(writeLiveFile("run/traefik", "app-web", "before"));
  mkdirSync(join(folder(), "run/.app-web.new"));
  const result = run(writeLiveFile("run/traefik", "app-web", "after"));
  expect(result.status).toBe(1);
  expect(result.stderr).toContain(".app-web.new");
  expect(readFileSync(join(folder(), "run/traefik/app-web.yml"), "utf8")).toBe("before");
});

test.each([
  ["/", "/"],
  ["/no/such/place", "/"],
  ["/tmp/no such/place/", "/tmp"],
  ["there/no/such", "there"],
  ["no/such", "."],
  ["nosuch", "."],
])("the nearest existing path of %s is %s", (path, nearest) => {
  mkdirSync(join(folder(), "there"));
  expect(run(lines(call("find_nearest", path), sh`printf %s "$nearest"`)).stdout).toBe(nearest);
});
