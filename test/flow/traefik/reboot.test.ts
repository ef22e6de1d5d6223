import { expect, test } from "vitest";
import { bootTraefik } from "../../../src/flow/traefik/traefik.ts";
import { rebootTraefik } from "../../../src/flow/traefik/reboot.ts";
import { config, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost, type World } from "../../support/world.ts";
import { ExitStatus } from "../../../src/shell/exit-status.ts";

const HOST = "192.0.2.1";
const traefikWith = (args: readonly string[]) =>
  aHost(HOST)
    .behindTraefik({ args, networks: [], address: undefined, mounts: new Map(), ports: [] })
    .with({ liveDirectory: "/var/lib/mrsk/traefik" });
const BARE_TRAEFIK = traefikWith([]);

function runOn(world: World, hosts: readonly string[] = [HOST]): FakeRun {
  const run = fakeRun(config({ roles: [role({ hosts })] }));
  for (const name of hosts) world.named(name).fake(run);
  return run;
}

const stepsOf = (run: FakeRun, host = HOST) => run.hosts.get(host)!.steps.join(" | ");
const output = (run: FakeRun) => run.events.flatMap((event) => ("text" in event ? [event.text] : [])).join("\n");
const now = { rolling: false, confirmed: true };

test("a second Traefik is started and probed before the first is changed", async () => {
  const run = runOn(BARE_TRAEFIK);
  await rebootTraefik(run, now);
  expect(stepsOf(run)).toMatch(
    /Acquire the lock.*Pull.*Create the new container.*Record the answers of Traefik.*Start a second Traefik.*Begin.*Replace the container.*Audit: Rebooted traefik.*Release the lock/,
  );
  expect(output(run)).toContain("Traefik replaced, no connections refused");
  expect(output(run)).not.toContain("will be refused");
});

test("without root or sudo the downtime is announced before and measured after", async () => {
  const run = runOn(BARE_TRAEFIK.with({ user: "ada", home: "/home/ada", root: false, sudo: false, redirects: false }));
  run.hosts.get(HOST)!.replies(/^Replace the container$/, "Stop the old Traefik\nclosed 43");
  await rebootTraefik(run, now);
  expect(run.events[0]).toMatchObject({ kind: "warning", host: HOST });
  expect(output(run)).toMatch(
    /half a second.*ada is not root and has no sudo.*\n(?:.*\n)*Traefik replaced, ports closed for 0\.43 s/,
  );
});

test("the answer no changes nothing, and acquires no lock", async () => {
  const run = { ...runOn(BARE_TRAEFIK), confirm: async () => false };
  await rebootTraefik(run, { rolling: false, confirmed: false });
  expect(run.printed).toEqual(["Aborted\n"]);
  expect(stepsOf(run)).not.toMatch(/lock|Pull|Replace/);
});

test("an interrupted reboot is repaired first, also by a boot", async () => {
  for (const work of [(run: FakeRun) => rebootTraefik(run, now), bootTraefik]) {
    const run = runOn(BARE_TRAEFIK.with({ swapLeftovers: ["traefik-swap", "rules"] }));
    await work(run);
    expect(stepsOf(run)).toMatch(/Repair a reboot of Traefik/);
    expect(stepsOf(run)).not.toMatch(/(?:Make|Replace|Start)[^|]*\|.*Repair/);
  }
});

test("rolling replaces one host after another, otherwise all are replaced concurrently", async () => {
  const hosts = [HOST, "192.0.2.2"];
  const run = runOn(BARE_TRAEFIK, hosts);
  run.hosts
    .get(HOST)!
    .replies(/^Start a second Traefik$/, "command traefik error: field not found", ExitStatus.NOT_REPLACED);
  await expect(rebootTraefik(run, { rolling: true, confirmed: true })).rejects.toMatchObject({
    exitCode: 5,
    message: expect.stringContaining("the old Traefik keeps serving\ncommand traefik error: field not found") as string,
  });
  expect(stepsOf(run)).not.toContain("Replace the container");
  expect(stepsOf(run, "192.0.2.2")).not.toContain("Pull");
});

test("a boot reports a running Traefik, and how it differs", async () => {
  const run = runOn(BARE_TRAEFIK);
  await bootTraefik(run);
  expect(output(run)).toContain("Traefik is running, but it lacks --providers.docker");
  expect(stepsOf(run)).not.toMatch(/Start Traefik|Pull/);
});

test("labels of the second Traefik make the old Traefik close kept connections, and the reboot waits for that", async () => {
  const labels = {
    "traefik.http.routers.site-web.rule": "Host(`site.test`)",
    "traefik.http.services.site-web.loadbalancer.server.port": "3000",
  };
  const scriptOf = async (args: readonly string[]) => {
    const run = fakeRun(config({ roles: [role({ hosts: [HOST] })] }));
    const host = traefikWith(args).withNeighbour({ name: "site-web-1", labels }).fake(run);
    await rebootTraefik(run, now);
    return host.commands.join("\n");
  };
  const ofMrsk = await scriptOf([]);
  expect(ofMrsk).toContain("traefik.http.middlewares.mrsk-swap-close.headers.customresponseheaders.Connection=");
  expect(ofMrsk).toMatch(/replace_with_second" mrsk-swap-process unless-stopped '' 8 4 /);
  const withKeepAlive = await scriptOf(["--entrypoints.http.transport.keepalivemaxtime=15s"]);
  expect(withKeepAlive).not.toContain("mrsk-swap-close");
  expect(withKeepAlive).toMatch(/replace_with_second" mrsk-swap-process unless-stopped '' 18 4 /);
});

test("a Traefik without live files is refused while a container needs one for its response_timeout", async () => {
  const traefik = { ...config().traefik, args: new Map([["providers.file.filename", "/etc/t.yml"]]) };
  const app = (transport: string) => ({
    name: "app-web-1",
    labels: { "traefik.http.services.app-web-aaaaaaaa.loadbalancer.serverstransport": transport },
  });
  const reboot = (transport: string) => {
    const run = fakeRun(config({ roles: [role({ hosts: [HOST] })], traefik }));
    BARE_TRAEFIK.withNeighbour(app(transport)).fake(run);
    return rebootTraefik(run, now);
  };
  await expect(reboot("app-web-timeout-30s@file")).rejects.toThrow(
    "192.0.2.1: app-web-1: proxy.response_timeout needs live files, and traefik.args has its own file provider",
  );
  await reboot("mine@file");
});
