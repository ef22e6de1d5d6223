import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onServer, succeeded, sweep } from "./project.ts";
import { expectOneTraefik, leftoversOn, TakenOver } from "./taken-over.ts";

const SERVERS = ["a", "b"] as const;

describe("a reboot of Traefik", () => {
  const host = new TakenOver("reboot", SERVERS);

  beforeAll(() => host.prepare());
  afterAll(() => sweep(...SERVERS));

  test.each(SERVERS)("gives a host set up by MRSK live files, and loses no request (server %s)", async (server) => {
    const ran = await host.underLoad(`from the original, server ${server}`, server, { slow: true }, () =>
      host.reboot(server),
    );
    expect(succeeded(ran).stderr).toContain("Traefik replaced, no connections refused");
    expect(await onServer(server, "docker inspect -f '{{.Args}}' traefik")).toContain("--providers.file.directory");
    await expectOneTraefik(server);
  });

  test.each(SERVERS)("of mrsk's Traefik breaks no kept connection, without resends (server %s)", async (server) => {
    const again = async () => {
      for (let times = 0; times < 3; times++) succeeded(await host.reboot(server));
    };
    await host.underLoad(`of ours, server ${server}`, server, { slow: true, resend: false }, again);
    expect(await leftoversOn(server)).toBe("");
    await expectOneTraefik(server);
  });

  test("with a bad argument keeps the old Traefik, and prints Traefik's error", async () => {
    host.configure({ args: { "entrypoints.http.nonsense": "1" } });
    const ran = await host.underLoad("bad argument", "b", {}, () => host.reboot("b"));
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("Traefik was not replaced, the old Traefik keeps serving");
    expect(ran.stderr).toContain("field not found, node: nonsense");
    await expectOneTraefik("b");
  });

  test("with a missing image or a taken port keeps the old Traefik", async () => {
    host.configure({ image: "traefik:v9.9.9" });
    const missing = await host.reboot("b");
    expect(missing.status).toBe(5);
    expect(missing.stderr).toContain("Pull Traefik's image failed");
    await expectOneTraefik("b");
    host.configure({ host_port: 22 });
    const taken = await host.underLoad("port taken", "b", {}, () => host.reboot("b"));
    expect(taken.status).toBe(5);
    expect(taken.stderr).toContain("address already in use");
    await expectOneTraefik("b");
    host.configure();
  });

  test("by a user without root or sudo announces the downtime, and reports it afterwards", async () => {
    await onServer("b", "docker ps -aq --filter label=service=reboot | xargs -r docker rm -f >/dev/null");
    host.configure({}, { user: "deploy" });
    succeeded(await host.project.mrsk("deploy", "-h", host.address("b")));
    const ran = succeeded(await host.reboot("b"));
    expect(ran.stderr).toMatch(
      /connections will be refused for about half a second.*deploy is not root and has no sudo/,
    );
    expect(ran.stderr).toMatch(/Traefik replaced, ports closed for \d+\.\d\d s/);
    await expectOneTraefik("b");
    host.configure({ args: { nonsense: "1" } }, { user: "deploy" });
    const refused = await host.reboot("b");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("field not found, node: nonsense");
    await expectOneTraefik("b");
  });

  test("rolling works host by host with the hooks around each, and asks first", async () => {
    host.configure();
    for (const hook of ["pre", "post"]) {
      host.project.write(`.mrsk/hooks/${hook}-traefik-reboot`, `#!/bin/sh\necho "${hook} $MRSK_HOSTS"\n`);
    }
    await execa("chmod", ["-R", "+x", `${host.project.folder}/.mrsk/hooks`]);
    const ran = succeeded(await host.project.mrsk("traefik", "reboot", "--rolling", "-y"));
    const lines = ran.stderr
      .split("\n")
      .flatMap((line) => /(?:pre|post) 127\S+|Traefik replaced/.exec(line)?.[0] ?? []);
    const [a, b] = SERVERS.map((server) => host.address(server));
    expect(lines).toEqual([`pre ${a}`, "Traefik replaced", `post ${a}`, `pre ${b}`, "Traefik replaced", `post ${b}`]);
    const asked = await host.project.mrsk("traefik", "reboot");
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining("Aborted") as string });
  });
});
