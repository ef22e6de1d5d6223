import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeImages } from "../../src/commands/app.ts";
import type { Body } from "../../src/script/command.ts";
import { pruneImages, pruneProbes, removeContainers } from "../../src/commands/prune.ts";
import { config, line, runnable } from "../support/config.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "docker-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The changes that docker gets, with these lists. Labels are by image name, `containers` are the images that they run. */
function changes(
  body: Body,
  lists: { images: string; containers: string; labels?: Readonly<Record<string, string>> },
): string[] {
  const docker = join(folder, "docker");
  const labels = Object.entries(lists.labels ?? {}).map(([image, label]) => `${image}) echo ${label} ;;`);
  writeFileSync(
    docker,
    `#!/bin/sh
case "$1 $2" in
  "image ls") printf '%s\\n' '${lists.images.replaceAll("\n", "' '")}' ;;
  "container ls") [ -z '${lists.containers}' ] || printf '%s\\n' '${lists.containers.replaceAll("\n", "' '")}' ;;
  "image inspect") case $5 in ${labels.join(" ")} *) echo '<no value>' ;; esac ;;
  *) echo "$*" >>${folder}/changes; [ "$3" != dhh/app:refused ] ;;
esac
`,
  );
  chmodSync(docker, 0o755);
  const done = spawnSync("/bin/sh", ["-ec", runnable(body)], { env: { PATH: `${folder}:${process.env["PATH"]}` } });
  expect(done.status).toBe(0);
  return readFileSync(join(folder, "changes"), "utf8").trim().split("\n");
}

test("unused images are removed except latest; docker prunes dangling ones", () => {
  const lists = {
    // MRSK's grep matched 1x0 with 1.0, which is in use.
    images: "dhh/app:latest\ndhh/app:1.0\ndhh/app:1x0\ndhh/app:<none>\ndhh/app:refused\ndhh/app:2",
    containers: "dhh/app:1.0",
  };
  expect(changes(pruneImages(config()), lists)).toEqual([
    "image rm dhh/app:1x0",
    "image rm dhh/app:refused",
    "image rm dhh/app:2",
    "image prune --force --filter label=service=app --filter dangling=true",
  ]);
});

test("removing the app removes every unused image of its repository", () => {
  const lists = { images: "dhh/app:latest\ndhh/app:refused\ndhh/app:<none>", containers: "" };
  expect(changes(removeImages(config()), lists)).toEqual([
    "image rm dhh/app:latest",
    "image rm dhh/app:refused",
    "image prune --all --force --filter label=service=app",
  ]);
});

test("removing the app keeps images with the label of another service", () => {
  const lists = {
    images: "dhh/app:1\ndhh/app:2",
    containers: "",
    labels: { "dhh/app:1": "app", "dhh/app:2": "app-two" },
  };
  expect(changes(removeImages(config()), lists)).toEqual([
    "image rm dhh/app:1",
    "image prune --all --force --filter label=service=app",
  ]);
});

test("with a destination images are removed too, except those that another destination's containers use", () => {
  const lists = { images: "dhh/app:latest\ndhh/app:1\ndhh/app:2", containers: "dhh/app:1" };
  expect(changes(removeImages(config({ destination: "staging" })), lists)).toEqual(["image rm dhh/app:2"]);
});

test("containers of interrupted health checks are found by their label", () => {
  expect(line(pruneProbes(config({ destination: "staging" })))).toBe(
    "docker container prune --force --filter label=service=healthcheck-app-staging",
  );
});

test("containers are removed by id", () => {
  expect(line(removeContainers(["aa", "bb"]))).toBe("docker container rm aa bb || true");
  expect(line(removeContainers([]))).toBe(":");
});
