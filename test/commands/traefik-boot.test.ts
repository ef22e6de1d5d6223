import { expect, test } from "vitest";
import { pullTraefik } from "../../src/commands/traefik-boot.ts";
import { config } from "../support/config.ts";
import { fake, run } from "../support/fake-commands.ts";

test.each([
  ["an image of the host is enough if the pull fails", 0, 0],
  ["without an image the pull's message is the only one", 1, 1],
])("%s", (_, inspected, status) => {
  fake(
    "docker",
    `case $1 in pull) echo "no route" >&2; exit 1 ;; *) echo "no such image" >&2; exit ${inspected} ;; esac`,
  );
  expect(run(pullTraefik(config(), undefined))).toMatchObject({ status, stdout: "", stderr: "no route\n" });
});
