import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fake, folder, run } from "../support/fake-commands.ts";
import { expect, test } from "vitest";
import { removeReleaseContainers, runRelease } from "../../src/commands/release-command.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { config, line, revealed, role } from "../support/config.ts";

const release = { command: `bin/rails db:migrate "a b"`, timeoutSeconds: 600, role: "web" };
const given = {
  release,
  version: "2",
  suffix: "0123456789ab",
  secrets: new Map([["TOKEN", new Secret("TOKEN", "hush")]]),
};

test("a container of the version with the role's environment, volumes and options, a name and a label", () => {
  const web = role({
    env: { clear: new Map([["A", "1"]]), secret: ["TOKEN"] },
    options: new Map<string, string | true | string[]>([
      ["memory", "1g"],
      ["publish", "9000:9000"],
      ["restart", "always"],
    ]),
  });
  const command = runRelease(config({ volumes: ["data:/data"], network: "private" }), web, given);
  expect(line(command)).toBe(
    "TOKEN=<TOKEN> docker run --rm --name release-app-0123456789ab --label mrsk.release=app --network private -e MRSK_CONTAINER_NAME=release-app-0123456789ab -e MRSK_VERSION=2 -e TOKEN -e A=1 --volume data:/data --memory 1g dhh/app:2 bin/rails db:migrate 'a b'",
  );
  expect(revealed(command).replace(/^TOKEN='hush' /, "")).not.toContain("hush");
});

test.each(["publish", "p", "publish-all", "P", "name", "hostname", "ip", "ip6", "restart"])(
  "the role's option %s is not for the release command, whose container runs alongside the role's",
  (option) => {
    const plain = line(runRelease(config(), role(), given));
    expect(line(runRelease(config(), role({ options: new Map([[option, "value"]]) }), given))).toBe(plain);
  },
);

test("leftover containers are found by the label of exactly this service and destination", () => {
  expect(line(removeReleaseContainers(config({ destination: "staging" })))).toBe(
    "remove_labelled mrsk.release=app-staging",
  );
  fake(
    "docker",
    'case "$*" in "ps --all --quiet --filter label=mrsk.release=app-staging") echo a b ;; *) echo "$*" >>calls ;; esac',
  );
  expect(run(removeReleaseContainers(config({ destination: "staging" }))).status).toBe(0);
  expect(readFileSync(join(folder(), "calls"), "utf8")).toBe("rm -f a b\n");
});
