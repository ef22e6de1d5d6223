import { expect, test } from "vitest";
import { bootVersion } from "../../../src/flow/rollout/boot.ts";
import { config, PROXY, role } from "../../support/config.ts";
import { fakeRun } from "../../support/fake-run.ts";
import { aHost, container, type World } from "../../support/world.ts";

const HOST = "192.0.2.1";

/** The notes of a boot of a role with this limit. */
async function notesOf(world: World, responseTimeoutSeconds: number, label?: string): Promise<string[]> {
  const labels = new Map(label === undefined ? [] : [[label, "mine@file"]]);
  const web = role({ hosts: [HOST], proxy: { ...PROXY, responseTimeoutSeconds }, labels });
  const run = fakeRun(config({ roles: [web], boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 } }));
  world.fake(run);
  await bootVersion(run, "2", { reuse: false, prune: false });
  return run.events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
}

const NOTE = "proxy.response_timeout is not applied (web): Traefik reads no live files here";

test("a Traefik without live files applies no response_timeout, and a note says so", async () => {
  expect(await notesOf(aHost(HOST).behindTraefikOfMrsk(), 30)).toContain(NOTE);
});

test("no such note with live files, without a limit, or with a transport of the user", async () => {
  expect(await notesOf(aHost(HOST).behindTraefik().runs(container("web", 1)), 30)).not.toContain(NOTE);
  expect(await notesOf(aHost(HOST).behindTraefikOfMrsk(), 0)).not.toContain(NOTE);
  const own = "traefik.http.services.app-web.loadbalancer.serverstransport";
  expect(await notesOf(aHost(HOST).behindTraefikOfMrsk(), 30, own)).not.toContain(NOTE);
});
