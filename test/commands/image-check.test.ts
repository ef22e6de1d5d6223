import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lookForCurl } from "../../src/commands/image-check.ts";
import { fake, folder, run } from "../support/fake-commands.ts";

const FILE = "run dir/images";

/** A docker whose image has this id, and in which the trial ends so. */
function image(id: string, trial: number): void {
  fake("docker", `case "$1" in image) echo ${id} ;; run) echo "$*" >>trials; exit ${trial} ;; esac`);
}

const look = () => run(lookForCurl("app:1", FILE));
const read = (name: string) => readFileSync(join(folder(), name), "utf8");

test("an image is tried once, in a container that has no network and goes away, and remembered by its id", () => {
  image("sha256:aa", 127);
  expect(look().stdout).toBe("no\n");
  expect(look().stdout).toBe("no\n");
  expect(read("trials")).toBe("run --rm --network none --entrypoint /bin/sh app:1 -c curl --version\n");
  image("sha256:bb", 0);
  expect(look().stdout).toBe("yes\n");
  expect(read(FILE)).toBe("1 sha256:aa no\n1 sha256:bb yes\n");
});

test("an image without a shell cannot run it either", () => {
  image("sha256:cc", 126);
  expect(look().stdout).toBe("no\n");
});

test("what docker could not try is not remembered, nor an image that is not there", () => {
  image("sha256:dd", 125);
  expect(look()).toMatchObject({ status: 0, stdout: "" });
  fake("docker", "exit 1");
  expect(look()).toMatchObject({ status: 0, stdout: "" });
  expect(() => read(FILE)).toThrow("ENOENT");
});

test("lines of another format are passed over, and the file stays short", () => {
  image("sha256:ee", 0);
  look();
  writeFileSync(join(folder(), FILE), `2 sha256:ee no\n${"1 sha256:old yes\n".repeat(200)}`);
  expect(look().stdout).toBe("yes\n");
  expect(read(FILE).trim().split("\n")).toHaveLength(100);
});
