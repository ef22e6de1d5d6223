import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { detectCurl, orRemove } from "../../src/commands/image-check.ts";
import { sh } from "../../src/script/command.ts";
import { fake, folder, run } from "../support/fake-commands.ts";

const FILE = "run dir/images";

/** A docker whose image has this base and these instructions, and in which the test for curl exits with this status. */
function image(base: string, trial: number, instructions = "COPY . ."): void {
  fake(
    "docker",
    `case "$1" in image) echo ${base} ;; history) echo '${instructions}' ;; run) echo "$*" >>trials; exit ${trial} ;; esac`,
  );
}

const kindOf = (base: string, instructions = "COPY . .") =>
  `${base}-${createHash("sha256").update(`${instructions}\n`).digest("hex")}`;

const look = () => run(detectCurl("app:1", FILE));
const read = (name: string) => readFileSync(join(folder(), name), "utf8");

test("a kind of image is tested once, in a container without network that is removed", () => {
  image("sha256:aa", 127);
  expect(look().stdout).toBe("no\n");
  expect(look().stdout).toBe("no\n");
  expect(read("trials")).toBe("run --rm --network none --entrypoint /bin/sh app:1 -c curl --version\n");
  image("sha256:bb", 0);
  expect(look().stdout).toBe("yes\n");
  image("sha256:bb", 127, "RUN rm /usr/bin/curl");
  expect(look().stdout).toBe("no\n");
  expect(read(FILE)).toBe(
    `1 ${kindOf("sha256:aa")} no\n1 ${kindOf("sha256:bb")} yes\n1 ${kindOf("sha256:bb", "RUN rm /usr/bin/curl")} no\n`,
  );
});

test("an image without a shell cannot run the health check either", () => {
  image("sha256:cc", 126);
  expect(look().stdout).toBe("no\n");
});

test("the cache has no line for a failed test, or for a missing image", () => {
  image("sha256:dd", 125);
  expect(look()).toMatchObject({ status: 0, stdout: "" });
  fake("docker", "exit 1");
  expect(look()).toMatchObject({ status: 0, stdout: "" });
  expect(() => read(FILE)).toThrow("ENOENT");
});

test("lines of another format are ignored, and the file remains short", () => {
  image("sha256:ee", 0);
  look();
  writeFileSync(join(folder(), FILE), `2 ${kindOf("sha256:ee")} no\n${"1 sha256:old yes\n".repeat(200)}`);
  expect(look().stdout).toBe("yes\n");
  expect(read(FILE).trim().split("\n")).toHaveLength(100);
});

test("a failed start removes the cache", () => {
  image("sha256:ff", 0);
  look();
  expect(run(orRemove(sh`true`, FILE)).status).toBe(0);
  expect(existsSync(join(folder(), FILE))).toBe(true);
  expect(run(orRemove(sh`exit 66`, FILE)).status).toBe(66);
  expect(existsSync(join(folder(), FILE))).toBe(false);
});
