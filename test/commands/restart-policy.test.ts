import { expect, test } from "vitest";
import { enableRestart, moveRestart, disableRestart, stopWithoutRestart } from "../../src/commands/restart-policy.ts";
import { fake, run } from "../support/fake-commands.ts";
import { line } from "../support/config.ts";

test("the container that docker starts after a reboot", () => {
  expect(line(enableRestart("app-web-2"))).toBe("docker update --restart unless-stopped app-web-2");
  expect(line(disableRestart("app-web-1"))).toBe("docker update --restart no app-web-1");
  expect(line(stopWithoutRestart("app-web-1", 45))).toBe(
    "docker update --restart no app-web-1 >/dev/null 2>&1 &\ndocker stop -t 45 app-web-1\nwait",
  );
  expect(line(stopWithoutRestart(["app-web-1", "app-jobs-1"], undefined))).toContain(
    "docker stop app-web-1 app-jobs-1",
  );
  fake("docker", `case $* in *' gone') exit 1 ;; esac; echo "$*" >>calls`);
  expect(run(moveRestart("new", "gone")).status).toBe(0);
  expect(run(moveRestart("gone", "old")).status).toBe(1);
  expect(run(stopWithoutRestart("gone", undefined)).status).toBe(1);
});
