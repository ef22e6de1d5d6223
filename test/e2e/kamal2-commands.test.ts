import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fleet } from "./fleet-lab.ts";
import { ask, lab, onServer, succeeded, sweep } from "./project.ts";

describe("commands and options of Kamal 2", () => {
  const fleet = new Fleet("names", ["a"]);
  const { project } = fleet;
  let version = "";
  const settings = {
    aliases: {
      run: "app exec --reuse node",
      eval: 'app exec --reuse --raw "node -p"',
      sum: "eval",
    },
    boot: { watch: 1 },
  };
  const running = () => onServer("a", "docker ps --filter label=service=names --format '{{.Names}}' | xargs");
  const status = async () => (await ask("a", "/version")).status;

  beforeAll(async () => {
    version = await fleet.start(settings);
  });
  afterAll(() => sweep("a"));

  test("app exec with several words, and aliases that add words to a quoted command", async () => {
    const several = succeeded(await project.mrsk("app", "exec", "--reuse", "--raw", "node", "-p", "'a  b'.length"));
    expect(several.stdout).toBe("4");
    expect(succeeded(await project.mrsk("sum", "process.argv0 + 'é'")).stdout).toBe("nodeé");
    expect(succeeded(await project.mrsk("run", "--", "--version")).stdout).toMatch(/^v\d+\./m);
  });

  test("app exec --detach returns at once, and its log can be read", async () => {
    const script = "setTimeout(() => console.log('done later'), 2000)";
    const started = succeeded(await project.mrsk("app", "exec", "--detach", "node", "-e", script));
    const id = /^[0-9a-f]{64}$/m.exec(started.stdout)![0];
    const log = async () => succeeded(await project.mrsk("app", "logs", "--container-id", id.slice(0, 12))).stdout;
    await expect.poll(log, { timeout: 20_000 }).toContain("done later");
  });

  test("proxy reboot replaces Traefik", async () => {
    const before = await onServer("a", "docker inspect -f '{{.Id}}' traefik");
    succeeded(await project.mrsk("proxy", "reboot", "-y"));
    expect(await onServer("a", "docker inspect -f '{{.Id}}' traefik")).not.toBe(before);
    expect(succeeded(await project.mrsk("proxy", "logs", "-n", "1", "-T")).stdout).toContain("Traefik Host: ");
  });

  test("build dev builds the working directory into this machine's docker, and pushes nothing", async () => {
    project.write("round.txt", "not committed");
    const built = succeeded(await project.mrsk("build", "dev", "--no-cache"));
    const image = `${lab["LAB_REGISTRY"]}/lab/names`;
    expect(built.stderr).toContain(`Built ${image}:${version}-dirty and ${image}:latest-dirty`);
    expect(built.stderr).toContain("may be in the image: round.txt");
    for (const tag of [`${version}-dirty`, "latest-dirty"]) {
      const found = await execa("docker", ["image", "inspect", "-f", "{{.Config.Labels.service}}", `${image}:${tag}`]);
      expect(found.stdout).toBe("names");
    }
    await execa("docker", ["image", "rm", `${image}:${version}-dirty`, `${image}:latest-dirty`]);
    project.write("round.txt", "good");
  });

  describe("--lock-wait", () => {
    const details = "Locked by: Ada at 2026-01-02T03:04:05Z\nVersion: 1\nMessage: Automatic deploy lock";
    const encoded = Buffer.from(details).toString("base64");
    const lockedByAda = () =>
      onServer("a", `mkdir -p .mrsk/lock-names && printf %s ${encoded} > .mrsk/lock-names/details`);
    const waiting = ["build", "pull", "--lock-wait", "--lock-wait-interval", "1"];
    const line = "s for the deploy lock on";

    test("waits until the other run has released the lock", async () => {
      await lockedByAda();
      const ran = await fleet.during(waiting, line, () => onServer("a", "rm -r .mrsk/lock-names"));
      expect(ran).toMatchObject({ met: true, status: 0 });
      expect(ran.stderr).toContain("Locked by: Ada at 2026-01-02T03:04:05Z");
      expect(await fleet.locked()).toBe(false);
    });

    test("ends with exit code 4 when the time is over", async () => {
      await lockedByAda();
      const ran = await project.mrsk(...waiting, "--lock-wait-timeout", "2");
      expect(ran).toMatchObject({ status: 4 });
      expect(ran.stderr).toContain("Deploy lock found on");
    });

    test("Ctrl-C ends the wait and leaves the lock to its owner", async () => {
      const run = project.start(...waiting);
      await new Promise<void>((resolve) => {
        let shown = "";
        run.stderr.on("data", (piece: Buffer) => {
          shown += piece.toString();
          if (shown.includes(line)) resolve();
        });
      });
      const interrupted = Date.now();
      run.kill("SIGINT");
      expect((await run).exitCode).toBe(130);
      expect(Date.now() - interrupted).toBeLessThan(3000);
      expect(succeeded(await project.mrsk("lock", "status")).stdout).toContain("Locked by: Ada");
      succeeded(await project.mrsk("lock", "release"));
    });

    test("does not wait for a lock that a person acquired", async () => {
      succeeded(await project.mrsk("lock", "acquire", "-m", "sale"));
      const ran = await project.mrsk(...waiting);
      expect(ran).toMatchObject({ status: 4 });
      expect(ran.stderr).not.toContain(line);
      succeeded(await project.mrsk("lock", "release"));
    });
  });

  describe("app maintenance and app live", () => {
    test("requests in progress finish, new ones get 503, and the container continues", async () => {
      const slow = ask("a", "/slow?ms=3000");
      await new Promise((resolve) => setTimeout(resolve, 300));
      succeeded(await project.mrsk("app", "maintenance"));
      expect((await slow).status).toBe(200);
      expect(await status()).toBe(503);
      expect(await running()).toBe(`names-web-${version}`);
    });

    test("remains through a deploy, and through a stop and a start of app and Traefik", async () => {
      version = await fleet.round("next", {}, settings);
      const deployed = succeeded(await project.mrsk("deploy"));
      expect(deployed.stderr).toContain("`mrsk app live` ends it");
      expect(await running()).toBe(`names-web-${version}`);
      expect(await status()).toBe(503);
      succeeded(await project.mrsk("app", "stop"));
      succeeded(await project.mrsk("app", "start"));
      expect(await status()).toBe(503);
      succeeded(await project.mrsk("proxy", "restart"));
      await expect.poll(status, { timeout: 20_000 }).toBe(503);
    });

    test("ends with app live", async () => {
      succeeded(await project.mrsk("app", "live"));
      expect(await ask("a", "/version")).toEqual({ status: 200, text: `${version}\n` });
    });
  });
});
