import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");

/** The folders of `src`, each below the folders that may import it. Files directly in `src` are free for all. */
const ROOMS = [
  "cli",
  "flow",
  "observe",
  "plan",
  "commands",
  "traefik",
  "output",
  "hosts",
  "ssh",
  "script",
  "shell",
  "config",
];

function roomOf(file: string): string | undefined {
  const [room, ...rest] = relative(SRC, file).split("/");
  return rest.length > 0 ? room : undefined;
}

test("imports between the folders of src point one way", () => {
  const upwards = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => {
      const file = join(SRC, path);
      const specifiers = Array.from(
        readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]+)"/g),
        ([, to]) => to!,
      );
      return specifiers
        .map((to) => resolve(dirname(file), to))
        .filter((to) => {
          const [from, target] = [roomOf(file), roomOf(to)];
          return (
            target !== undefined && from !== target && ROOMS.indexOf(target) < ROOMS.indexOf(from ?? "none of them")
          );
        })
        .map((to) => `${path} imports ${relative(SRC, to)}`);
    });
  expect(upwards).toEqual([]);
});

test("every folder of src has its place in the order", () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).toSorted()).toEqual([...ROOMS, "docs"].toSorted());
});

test.each([
  ["commander", /^cli\//],
  ["ssh2", /^ssh\//],
])("only one folder imports %s", (name, place) => {
  const importing = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .filter((path) => readFileSync(join(SRC, path), "utf8").includes(`"${name}"`));
  expect(importing.filter((path) => !place.test(path))).toEqual([]);
});
