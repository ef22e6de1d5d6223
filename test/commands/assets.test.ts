import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { assetVolumes, cleanAssets, collectAssets } from "../../src/commands/assets.ts";
import type { Shell } from "../../src/script/command.ts";
import { config, runnable, role } from "../support/config.ts";

/** A fake docker: images are folders, a container is a folder with its image's name and its mount. */
const DOCKER = String.raw`#!/bin/sh
case "$1 $2" in
"create --name") [ -d "$DOCKER_ROOT/images/$4" ] && printf '%s' "$4" >"$DOCKER_ROOT/made" ;;
"cp -L") from=$DOCKER_ROOT/images/$(cat "$DOCKER_ROOT/made")/$(printf '%s' "$3" | cut -d: -f2)
  [ -d "$from" ] && cp -R "$from" "$4" ;;
"ps --all") ls "$DOCKER_ROOT/containers" ;;
"inspect --type") format=$5; shift 5
  for id in "$@"; do
    case $format in *.Image*) cat "$DOCKER_ROOT/containers/$id/image" ;; *) cat "$DOCKER_ROOT/containers/$id/mount" 2>/dev/null; echo ;; esac
  done ;;
esac
`;

const PATH = "/app/assets";
let root: string;
let home: string;
const place = () => ({ config: config(), role: role({ assetPath: PATH }), home });
const folder = (id: string) => join(home, ".mrsk/assets", `app-web-${id}`);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mrsk-assets-"));
  home = join(root, "home of login");
  write("bin/docker", DOCKER);
  execFileSync("chmod", ["+x", join(root, "bin/docker")]);
  mkdirSync(join(root, "containers"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function image(version: number): void {
  write(`images/app:${version}${PATH}/css/app-${version}.css`, `css ${version}`);
  write(`images/app:${version}${PATH}/manifest.json`, `manifest ${version}`);
}

/** A container, with an asset folder unless it is older than `asset_path`. */
function container(id: string, version: number, { mounted = true } = {}): void {
  write(`containers/${id}/image`, `app:${version}`);
  if (!mounted) return;
  write(`containers/${id}/mount`, folder(id));
  mkdirSync(folder(id), { recursive: true });
  execFileSync("cp", ["-R", `${join(root, `images/app:${version}${PATH}`)}/.`, folder(id)]);
}

function run(body: Shell) {
  const env = { ...process.env, PATH: `${join(root, "bin")}:${process.env["PATH"]}`, DOCKER_ROOT: root };
  return spawnSync("/bin/sh", ["-ec", runnable(body)], { env, encoding: "utf8" });
}

/** Writes files with their text as content. */
function contents(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), "utf8")]),
  );
}

const OLD_WITH_NEW = { "app-1.css": "css 1", "app-2.css": "css 2", "manifest.json": "manifest 1" };
const NEW_WITH_OLD = { "app-1.css": "css 1", "app-2.css": "css 2", "manifest.json": "manifest 2" };
const NEXT = { image: "app:2", id: "bbbbbbbb" };

test("both versions have the files of both, and keep their own files of the same name; running it again changes nothing", () => {
  image(1);
  image(2);
  container("aaaaaaaa", 1);
  for (const _ of [1, 2]) {
    expect(run(collectAssets(place(), PATH, NEXT, "aaaaaaaa"))).toMatchObject({ status: 0, stderr: "" });
    expect(contents(folder("bbbbbbbb"))).toEqual(NEW_WITH_OLD);
    expect(contents(folder("aaaaaaaa"))).toEqual(OLD_WITH_NEW);
  }
  expect(readdirSync(join(home, ".mrsk/assets"))).toEqual(["app-web-aaaaaaaa", "app-web-bbbbbbbb"]);
});

test("files that the old version got from its predecessor are not copied", () => {
  image(1);
  image(2);
  container("aaaaaaaa", 1);
  writeFileSync(join(folder("aaaaaaaa"), "app-0.css"), "css 0");
  run(collectAssets(place(), PATH, NEXT, "aaaaaaaa"));
  expect(contents(folder("bbbbbbbb"))).toEqual(NEW_WITH_OLD);
});

test("a container without an asset folder provides its image's files, and remains unchanged", () => {
  image(1);
  image(2);
  container("aaaaaaaa", 1, { mounted: false });
  expect(run(collectAssets(place(), PATH, NEXT, "aaaaaaaa")).status).toBe(0);
  expect(contents(folder("bbbbbbbb"))).toEqual(NEW_WITH_OLD);
});

test("an old image without the path is no error, a new image without it is one", () => {
  image(2);
  write("images/app:1/app/other", "");
  container("aaaaaaaa", 1, { mounted: false });
  expect(run(collectAssets(place(), PATH, NEXT, "aaaaaaaa")).status).toBe(0);
  const failed = run(collectAssets(place(), PATH, { image: "app:1", id: "cccccccc" }, undefined));
  expect(failed).toMatchObject({ status: 1, stderr: "asset_path: /app/assets could not be copied out of the image\n" });
});

test("a kept container gets the files of the live container", () => {
  image(1);
  image(2);
  container("aaaaaaaa", 1);
  container("bbbbbbbb", 2);
  expect(run(collectAssets(place(), PATH, { container: "aaaaaaaa" }, "bbbbbbbb")).status).toBe(0);
  expect(contents(folder("aaaaaaaa"))).toEqual(OLD_WITH_NEW);
  expect(contents(folder("bbbbbbbb"))).toEqual(NEW_WITH_OLD);
});

test("folders of removed containers are removed, and so is the base folder when it is empty; those of other roles remain", () => {
  image(1);
  container("aaaaaaaa", 1);
  mkdirSync(folder("bbbbbbbb"));
  mkdirSync(folder("staging-bbbbbbbb"));
  expect(run(cleanAssets(place()))).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(join(home, ".mrsk/assets"))).toEqual(["app-web-aaaaaaaa", "app-web-staging-bbbbbbbb"]);
  rmSync(join(root, "containers/aaaaaaaa"), { recursive: true });
  rmSync(folder("staging-bbbbbbbb"), { recursive: true });
  run(cleanAssets(place()));
  expect(existsSync(join(home, ".mrsk/assets"))).toBe(false);
});

test("nothing is removed if docker cannot list the mounted folders", () => {
  container("aaaaaaaa", 1, { mounted: false });
  mkdirSync(folder("bbbbbbbb"), { recursive: true });
  write("bin/docker", "#!/bin/sh\nexit 1\n");
  expect(run(cleanAssets(place())).status).toBe(1);
  expect(existsSync(folder("bbbbbbbb"))).toBe(true);
});

test("a role with an asset_path mounts the folder of the container's id", () => {
  const labels = new Map([["mrsk.id", "bbbbbbbb"]]);
  expect(assetVolumes(place(), labels)).toEqual([`${folder("bbbbbbbb")}:/app/assets`]);
  expect(assetVolumes({ ...place(), role: role() }, labels)).toEqual([]);
});

test("a rollback continues if the kept container's image does not have the path", () => {
  image(2);
  write("images/app:1/app/other", "");
  container("aaaaaaaa", 1, { mounted: false });
  container("bbbbbbbb", 2);
  expect(run(collectAssets(place(), PATH, { container: "aaaaaaaa" }, "bbbbbbbb")).status).toBe(0);
  expect(contents(folder("bbbbbbbb"))).toEqual({ "app-2.css": "css 2", "manifest.json": "manifest 2" });
});
