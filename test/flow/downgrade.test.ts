import { expect, test } from "vitest";
import { downgrade, downgradeAccessory, downgradeTraefik } from "../../src/flow/downgrade.ts";
import { accessory, config, proxy, role } from "../support/config.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost, containerOfMrsk } from "../support/world.ts";

const [FIRST, SECOND] = ["192.0.2.1", "192.0.2.2"] as const;

/** Two hosts on which Kamal 2 has left containers without routing labels. */
function fleet(): FakeRun {
  const run = fakeRun(
    config({
      roles: [role({ hosts: [FIRST, SECOND] })],
      accessories: [accessory({ hosts: [SECOND] })],
      boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
    }),
  );
  const labels = new Map([
    ["service", "app"],
    ["role", "web"],
    ["destination", ""],
  ]);
  for (const host of [FIRST, SECOND]) {
    aHost(host)
      .runs(containerOfMrsk("web", 7, { labels }))
      .fake(run);
  }
  return run;
}

const story = (run: FakeRun, host: string) => run.hosts.get(host)!.steps.join(" | ");

test("Traefik and a new container of the live version replace kamal-proxy", async () => {
  const run = fleet();
  await downgradeTraefik(run, { rolling: false, confirmed: true });
  for (const host of [FIRST, SECOND]) {
    expect(story(run, host)).toMatch(
      /Stop kamal-proxy.*Start Traefik.*Rename app-web-7.*Start app-web-7.*Stop the old container.*Remove kamal-proxy/,
    );
  }
});

test("--rolling works host by host, and a host that fails gets kamal-proxy again", async () => {
  const run = fleet();
  run.hosts.get(FIRST)!.replies(/^Wait until healthy/, "unhealthy", 66);
  await expect(downgradeTraefik(run, { rolling: true, confirmed: true })).rejects.toMatchObject({ exitCode: 6 });
  expect(story(run, FIRST)).toMatch(/Stop kamal-proxy.*Wait until healthy.*Start kamal-proxy again/);
  expect(run.hosts.get(FIRST)!.commands.join("\n")).toMatch(/docker rm -f traefik; docker start kamal-proxy/);
  expect(story(run, SECOND)).not.toContain("kamal-proxy");
});

test("downgrade asks once, and includes the accessories", async () => {
  const asked: string[] = [];
  const run = fleet();
  await downgrade(
    { ...run, confirm: async (question) => asked.push(question) < 0 },
    { rolling: false, confirmed: false },
  );
  expect(run.printed).toEqual(["Aborted\n"]);
  expect(story(run, FIRST)).toBe("");
  await downgrade(
    { ...run, confirm: async (question) => asked.push(question) > 0 },
    { rolling: true, confirmed: false },
  );
  expect(asked).toHaveLength(2);
  expect(story(run, SECOND)).toMatch(/Remove kamal-proxy.*Pull the image.*Stop app-db.*Start app-db/);
});

test("accessory downgrade reboots the accessory on its hosts", async () => {
  const run = fleet();
  await downgradeAccessory(run, "db", { rolling: true, confirmed: true });
  expect(story(run, SECOND)).toMatch(/Pull the image.*Stop app-db.*Remove the container.*Start app-db/);
  await expect(downgradeAccessory(run, "nosuch", { rolling: true, confirmed: true })).rejects.toMatchObject({
    exitCode: 2,
  });
});

test("a host with a routed accessory alone gets Traefik as well", async () => {
  const routed = accessory({ hosts: [SECOND], proxy: proxy({ hosts: ["a.b"] }) });
  const run = fakeRun(config({ roles: [role({ hosts: [FIRST], traefik: false })], accessories: [routed] }));
  aHost(SECOND).fake(run);
  await downgradeTraefik(run, { rolling: true, confirmed: true });
  expect(story(run, SECOND)).toMatch(/Stop kamal-proxy.*Start Traefik.*Remove kamal-proxy/);
});
