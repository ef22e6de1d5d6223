import { expect, test } from "vitest";
import { keepAlive, keepInstead, releaseRestart, stopForGood } from "../../src/commands/restart-policy.ts";
import { fake, run } from "../support/fake-commands.ts";
import { line } from "../support/config.ts";

test("which container a reboot revives", () => {
  expect(line(keepAlive("app-web-2"))).toBe("docker update --restart unless-stopped app-web-2");
  expect(line(releaseRestart("app-web-1"))).toBe("docker update --restart no app-web-1");
  expect(line(stopForGood("app-web-1", 45))).toBe(
    "docker update --restart no app-web-1 >/dev/null 2>&1 &\ndocker stop -t 45 app-web-1\nwait",
  );
  expect(line(stopForGood(["app-web-1", "app-jobs-1"], undefined))).toContain("docker stop app-web-1 app-jobs-1");
  fake("docker", `case $* in *' gone') exit 1 ;; esac; echo "$*" >>asked`);
  expect(run(keepInstead("new", "gone")).status).toBe(0);
  expect(run(keepInstead("gone", "old")).status).toBe(1);
  expect(run(stopForGood("gone", undefined)).status).toBe(1);
});
