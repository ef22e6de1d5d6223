import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { succeeded, sweep } from "./project.ts";
import { inside, expectOneTraefik, leftoversOn, TakenOver, until } from "./taken-over.ts";

/** The only server of these tests. */
const SERVER = "b";

describe("a reboot of Traefik that is interrupted", () => {
  const host = new TakenOver("killed", [SERVER]);

  beforeAll(() => host.prepare());
  afterAll(() => sweep(SERVER));

  /** Starts a reboot; resolves when its output contains the text, or when it has ended. */
  const rebootUntil = async (text: string) => {
    const running = host.project.start("traefik", "reboot", "-y", "-v");
    await new Promise<void>((resolve) => {
      running.stderr.on("data", (chunk: Buffer) => chunk.toString().includes(text) && resolve());
      void running.then(() => resolve());
    });
    // Wrapped: a returned process itself would be awaited.
    return { running };
  };

  test("by the end of mrsk, at any step, is repaired by the next reboot, boot or deploy", async () => {
    const steps = [
      ["Start a second Traefik:", ["traefik", "boot"]],
      ["Redirect new connections to the second", ["traefik", "reboot", "-y"]],
      ["Drain the old Traefik", ["redeploy"]],
      ["Start the new Traefik", ["traefik", "boot"]],
    ] as const;
    await host.underLoad("mrsk killed four times", SERVER, {}, async () => {
      for (const [text, next] of steps) {
        const { running } = await rebootUntil(text);
        expect(running.kill("SIGKILL")).toBe(true);
        await running;
        succeeded(await host.project.mrsk("lock", "release"));
        succeeded(await host.project.mrsk(...next));
        await expectOneTraefik(SERVER);
      }
    });
    expect(await leftoversOn(SERVER)).toBe("");
  });

  test("by a cut connection finishes on the server", async () => {
    const network = (flag: "-I" | "-D") =>
      inside(SERVER, "iptables", flag, "INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP");
    const traefiks = () =>
      inside(SERVER, "docker", "ps", "--all", "--format", "{{.Names}}", "--filter", "name=^traefik");
    await host.underLoad("connection cut", SERVER, {}, async () => {
      const { running } = await rebootUntil("Redirect new connections to the second");
      await network("-I");
      await until(async () => (await traefiks()) === "traefik");
      running.kill("SIGKILL");
      await running;
      await network("-D");
      succeeded(await host.project.mrsk("lock", "release"));
    });
    await expectOneTraefik(SERVER);
    expect(await inside(SERVER, "docker", "inspect", "-f", "{{.Config.Labels}}", "traefik")).toContain("mrsk.by");
  });

  /** Kills the replacement on the server as soon as the condition is true there, as if out of memory. */
  const killWhen = (condition: string) =>
    inside(
      SERVER,
      "sh",
      "-c",
      `end=$(($(date +%s) + 60)); until ${condition}; do [ $(date +%s) -lt $end ] || exit 1; done; for f in $(grep -sl 'mrsk-swap-[p]rocess' /proc/[0-9]*/cmdline); do kill -9 $(echo $f | cut -d/ -f3); done; echo killed`,
    );

  test("by the end of the replacement on the server is repaired in the same run", async () => {
    const ran = await host.underLoad("swap killed when the rules are there", SERVER, {}, async () => {
      const killer = killWhen("iptables -t nat -S PREROUTING | grep -q mrsk-swap");
      const result = await host.reboot(SERVER);
      expect(await killer).toBe("killed");
      return result;
    });
    expect(ran.status).toBe(5);
    await expectOneTraefik(SERVER);
  });

  test("by the end of both is repaired by the next reboot", async () => {
    await host.underLoad("swap and mrsk killed when the old one is renamed", SERVER, {}, async () => {
      const killer = killWhen("docker inspect traefik-old >/dev/null 2>&1");
      const running = host.project.start("traefik", "reboot", "-y");
      expect(await killer).toBe("killed");
      running.kill("SIGKILL");
      await running;
      expect(await leftoversOn(SERVER)).toMatch(/traefik-swap Up[^]*--comment mrsk-swap/);
      succeeded(await host.project.mrsk("lock", "release"));
      succeeded(await host.reboot(SERVER));
    });
    await expectOneTraefik(SERVER);
  });
});
