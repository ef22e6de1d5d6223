import { expect, test } from "vitest";
import { deploy } from "../../../src/flow/rollout/deploy.ts";
import { ShellLibrary } from "../../../src/script/library.ts";
import { LOADER } from "../../../src/script/loader.ts";
import { needsOfScript, renderScript } from "../../../src/script/script.ts";
import { config, role } from "../../support/config.ts";
import { fakeRun } from "../../support/fake-run.ts";
import { aHost, container } from "../../support/world.ts";

const HOST = "192.0.2.1";

// Those that routing needs, as when the limit was measured: the live file, which is sent too, repeats the labels.
const LABELS = new Map([
  ["service", "app"],
  ["role", "web"],
  ["mrsk.id", "aaaaaaaa"],
  ["traefik.http.services.app-web-aaaaaaaa.loadbalancer.server.scheme", "http"],
  ["traefik.http.routers.app-web.rule", "PathPrefix(`/`)"],
]);

// Before the functions had files of their own, each script carried the text of what it called: 24 773 bytes with fewer options.
test("a deploy sends a host no more than 25 kB, each function once", async () => {
  const run = fakeRun(
    config({ roles: [role({ hosts: [HOST] })], boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 } }),
  );
  run.host("localhost");
  const fake = aHost(HOST)
    .behindTraefik()
    .runs(container("web", 0, { labels: LABELS }))
    .fake(run);
  fake.replies(/^Check the image$/, "");
  await deploy(run, { skipPush: false, revert: true });
  const library = new ShellLibrary();
  const sent = fake.scripts.map(
    (script) => library.missing(needsOfScript(script)) + renderScript(script, "0".repeat(24)),
  );
  expect(sent.length).toBe(7);
  expect(LOADER.length + sent.join("").length).toBeLessThan(25_000);
  const defined = Array.from(sent.join("").matchAll(/^([a-z_]+_[a-z_]+)\(\) [({]$/gm), ([, name]) => name!);
  expect(defined.length).toBe(new Set(defined).size);
});
