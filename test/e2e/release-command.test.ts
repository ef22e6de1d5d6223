import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, Fleet } from "./fleet-lab.ts";
import { lab, onServer, succeeded, sweep } from "./project.ts";

const SERVERS = ["b"] as const;
const VALUE = 'a secret\'s "value" $HOME';

describe("the release command", () => {
  const fleet = new Fleet("migrate", SERVERS);
  let good = "";

  /** @param script what `node release.js` does */
  const round = (name: string, script: string, release: unknown = "node release.js") => {
    fleet.project.write("release.js", script);
    return fleet.round(
      name,
      {},
      { release, env: { clear: { ROUND: name }, secret: ["TOKEN"] }, servers: [address("b")] },
    );
  };
  const left = () => onServer("b", "docker ps -aq --filter label=mrsk.release");

  beforeAll(async () => {
    await sweep(...SERVERS);
    const quoted = VALUE.replaceAll('"', '\\"').replaceAll("$", "\\$");
    fleet.project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\nTOKEN="${quoted}"\n`);
  });
  afterAll(() => sweep(...SERVERS));

  test("runs once with the new version's image and secrets, before that version starts, and prints its output line by line", async () => {
    good = await round(
      "good",
      "console.log('first', process.env.MRSK_VERSION, process.env.TOKEN.length);\nconsole.error(process.env.TOKEN);",
    );
    const ran = succeeded(await fleet.project.mrsk("deploy", "-v"));
    expect(ran.stderr).toContain(`${address("b")} | first ${good} ${VALUE.length}`);
    expect(ran.stderr).not.toContain(VALUE);
    expect(ran.stderr).toContain("[REDACTED]");
    expect(ran.stderr.indexOf(`first ${good}`)).toBeLessThan(ran.stderr.indexOf(`Start migrate-web-${good}`));
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(await left()).toBe("");
  });

  test("a failure ends the deploy with nothing changed", async () => {
    const bad = await round("failing", "console.log('about to fail'); process.exit(3);");
    const ran = await fleet.project.mrsk("redeploy");
    await fleet.logState("the release command fails");
    expect(ran.status).toBe(9);
    expect(ran.stderr).toContain(`${address("b")}  about to fail\n`);
    expect(ran.stderr).toContain("the release command ended with exit status 3. Nothing was changed.\nabout to fail");
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(await onServer("b", `docker ps -aq --filter name=migrate-web-${bad}`)).toBe("");
    expect(await fleet.locked()).toBe(false);
  });

  const WAITING = "console.log('waiting'); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";

  test("a release command that takes too long is stopped and removed", async () => {
    await round("slow", WAITING, { command: "node release.js", timeout: 4 });
    const ran = await fleet.project.mrsk("redeploy");
    await fleet.logState("the release command takes too long");
    expect(ran.status).toBe(9);
    expect(ran.stderr).toContain("took longer than 4 s");
    expect(await left()).toBe("");
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
  });

  test("Ctrl-C stops and removes it, and changes nothing", async () => {
    await round("interrupted", WAITING);
    const running = fleet.project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => text.toString().includes("waiting") && running.kill("SIGINT"));
    expect((await running).exitCode).toBe(130);
    expect(await left()).toBe("");
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(await fleet.locked()).toBe(false);
  });

  test("neither rollback nor app boot runs it", async () => {
    for (const words of [
      ["app", "boot"],
      ["rollback", good],
    ]) {
      expect(succeeded(await fleet.project.mrsk(...words)).stderr).not.toContain("release command");
    }
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
  });
});
