import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "./load.ts";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const A = lab["LAB_A"]!;
const B = lab["LAB_B"]!;
/** The address on the lab's inner network, on which unpublished ports are reachable. */
const A_INNER = lab["LAB_A_INNER"]!;

async function clean(): Promise<void> {
  await sweep("a", "b");
  for (const server of ["a", "b"])
    await onServer(server, "rm -rf /home/deploy/.mrsk /home/deploy/mrsk-*; rm -rf keys-* /srv/keys");
}

function projectOf(service: string): Project {
  const project = new Project(service);
  project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
  return project;
}

beforeAll(clean);
afterAll(clean);

describe("asset_path, with root and with another login user", () => {
  const project = projectOf("keys-assets");
  const servers = [A, `deploy@${B}`];
  const commits: string[] = [];

  /** Each version has a file with its own name, and a file that every version has. */
  async function release(number: number): Promise<void> {
    project.write(`assets/app-${number}.css`, `css ${number}`);
    project.write("assets/manifest.json", `manifest ${number}`);
    project.write(`.dockerignore`, `.git\n${commits.map((_, i) => `assets/app-${i + 1}.css\n`).join("")}`);
    commits.push(await project.commit(`Version ${number}`));
    succeeded(await project.mrsk("deploy"));
  }

  async function served(server: string, ...names: string[]): Promise<string[]> {
    const answers = await Promise.all(names.map((name) => ask(server, `/assets/${name}`)));
    return answers.map(({ status, text }) => (status === 200 ? text : String(status)));
  }

  const home = (server: string) => (server === "a" ? "/root" : "/home/deploy");
  const folders = async (server: string) => (await onServer(server, `ls -A ${home(server)}/.mrsk/assets`)).split("\n");

  test.each(["before", "then"])("the first version with it (%s)", async (when) => {
    project.configure({ servers, boot: { watch: 0 }, ...(when === "then" ? { asset_path: "/app/assets" } : {}) });
    if (when === "before") await release(1);
    else {
      commits[0] = await project.commit("With assets");
      succeeded(await project.mrsk("redeploy"));
    }
    for (const server of ["a", "b"])
      expect(await served(server, "app-1.css", "manifest.json")).toEqual(["css 1", "manifest 1"]);
  });

  test("a page of the old version still gets its assets after the switch", async () => {
    await release(2);
    for (const server of ["a", "b"]) {
      expect(await served(server, "app-1.css", "app-2.css", "manifest.json")).toEqual(["css 1", "css 2", "manifest 2"]);
    }
  });

  test("the old container has the new version's files, and keeps its own", async () => {
    const old = `$(docker inspect -f '{{range .Mounts}}{{.Source}}{{end}}' keys-assets-web-${commits[0]})`;
    for (const server of ["a", "b"]) {
      expect(await onServer(server, `cd ${old}; head -n 9 app-1.css app-2.css manifest.json`)).toMatch(
        /css 1\s[^]*css 2\s[^]*manifest 1$/,
      );
    }
  });

  test("only the files of the previous version are kept", async () => {
    await release(3);
    expect(await served("a", "app-1.css", "app-2.css", "app-3.css", "manifest.json")).toEqual([
      "404",
      "css 2",
      "css 3",
      "manifest 3",
    ]);
  });

  test("a rollback serves both, too", async () => {
    succeeded(await project.mrsk("rollback", commits[1]!));
    for (const server of ["a", "b"]) {
      expect(await served(server, "app-2.css", "app-3.css", "manifest.json")).toEqual(["css 2", "css 3", "manifest 2"]);
    }
  });

  test("folders are removed with their containers, and no temporary files remain", async () => {
    project.configure({ servers, boot: { watch: 0 }, asset_path: "/app/assets", retain_containers: 1 });
    await release(4);
    for (const server of ["a", "b"]) {
      const containers = await onServer(server, "docker ps -aq --filter label=service=keys-assets");
      expect(containers.split("\n")).toHaveLength(2);
      expect(await folders(server)).toHaveLength(2);
    }
    succeeded(await project.mrsk("remove", "-y"));
    expect(await onServer("a", "ls -d .mrsk/assets 2>/dev/null || echo gone")).toBe("gone");
  });

  test("a folder that the image does not have ends the deploy before any change", async () => {
    project.configure({ servers: [A], boot: { watch: 0 }, asset_path: "/app/nowhere" });
    await project.commit("Nowhere");
    const ran = await project.mrsk("deploy");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("asset_path: /app/nowhere could not be copied out of the image");
    expect(await onServer("a", "docker ps -aq --filter label=service=keys-assets")).toBe("");
  });
});

describe("network", () => {
  const project = projectOf("keys-net");
  const other = projectOf("keys-other");
  const SAYS_HI = "node -e \"require('http').createServer((q, r) => r.end('hi')).listen(7000)\"";
  const settings = (network: string | undefined, server: string) => ({
    servers: [server],
    boot: { watch: 0 },
    ...(network ? { network } : {}),
    accessories: { near: { image: "node:20-bookworm-slim", host: server, cmd: SAYS_HI } },
  });
  const networksOf = (server: string, container: string) =>
    onServer(server, `docker inspect -f '{{range $n, $_ := .NetworkSettings.Networks}}{{$n}} {{end}}' ${container}`);

  beforeAll(async () => {
    await clean();
    project.configure(settings(undefined, A));
    await project.commit("First");
    succeeded(await project.mrsk("deploy"));
  });

  test("is created, a running Traefik joins it, and containers reach each other by name", async () => {
    project.configure(settings("private", A));
    succeeded(await project.mrsk("accessory", "boot", "near"));
    await project.commit("On a network");
    const load = new Load(`http://${A}`, { perSecond: 100 });
    succeeded(await project.mrsk("redeploy"));
    await load.reached(1000);
    expect((await load.stop()).lost).toEqual([]);
    expect(await networksOf("a", "traefik")).toBe("bridge private ");
    expect(await ask("a", "/neighbour/keys-net-near")).toEqual({ status: 200, text: "hi" });
  });

  test("if joining would cut requests the deploy refuses; a reboot joins, and keeps the other networks", async () => {
    project.configure(settings("apps", A));
    await project.commit("On another");
    const refused = await project.mrsk("deploy");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("Traefik is not on the network apps");
    expect((await ask("a", "/up")).status).toBe(200);
    succeeded(await project.mrsk("traefik", "reboot", "-y"));
    expect(await networksOf("a", "traefik")).toBe("apps bridge private ");
    succeeded(await project.mrsk("deploy"));
    expect((await ask("a", "/up")).status).toBe(200);
  });

  test("a Traefik created with a network serves services without one", async () => {
    project.configure(settings("private", B));
    await project.commit("On B");
    succeeded(await project.mrsk("accessory", "boot", "near"));
    succeeded(await project.mrsk("deploy"));
    expect(await networksOf("b", "traefik")).toBe("bridge private ");
    other.configure({
      servers: [B],
      boot: { watch: 0 },
      labels: { "traefik.http.routers.keys-other-web.rule": "PathPrefix(`/version`)" },
    });
    const version = await other.commit("Beside");
    succeeded(await other.mrsk("deploy"));
    expect((await ask("b", "/version")).text).toBe(`${version}\n`);
    expect(await ask("b", "/neighbour/keys-net-near")).toEqual({ status: 200, text: "hi" });
  });
});

describe("accessories and hosts", () => {
  beforeAll(clean);

  test("service, options, files with a mode, directories with options, env, labels and network are in the container", async () => {
    const project = projectOf("keys-acc");
    project.write("my.cnf", "configured");
    project.configure({
      servers: [A],
      accessories: {
        db: {
          image: "node:20-bookworm-slim",
          service: "keys-shared-db",
          host: A,
          cmd: "sleep 600",
          options: { memory: "96m", cpus: 0.5 },
          labels: { team: "shop" },
          env: { clear: { MODE: "é 'quoted'" } },
          files: ["my.cnf:/etc/my.cnf:640"],
          directories: ["/srv/keys:/data:ro", "own:/own"],
          network: "backs",
        },
      },
      logging: { driver: "json-file", options: { "max-size": "5m" } },
    });
    await project.commit("Accessory");
    succeeded(await project.mrsk("accessory", "boot", "db"));
    const inside = `docker exec keys-shared-db sh -c 'stat -c %a /etc/my.cnf; cat /etc/my.cnf; echo; printenv MODE; touch /own/x && ls /own; touch /data/x 2>&1 | grep -o Read-only'`;
    expect(await onServer("a", inside)).toBe("640\nconfigured\né 'quoted'\nx\nRead-only");
    const facts =
      '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.Config.Labels.team}} {{index .HostConfig.LogConfig.Config "max-size"}} {{range $n, $_ := .NetworkSettings.Networks}}{{$n}}{{end}}';
    expect(await onServer("a", `docker inspect -f '${facts}' keys-shared-db`)).toBe(
      "100663296 500000000 shop 5m backs",
    );
  });

  test("user and port of one host, and a connection that is closed when idle", async () => {
    await onServer("a", "/usr/sbin/sshd -p 2222 -o PidFile=/run/sshd-2222.pid");
    const project = projectOf("keys-port");
    project.configure({
      servers: [`deploy@${A_INNER}:2222`],
      boot: { watch: 0 },
      sshkit: { pool_idle_timeout: 1 },
      ssh: { keys: [lab["LAB_KEY"]], config: [join(project.folder, "ssh_config")], log_level: "info" },
    });
    writeFileSync(
      join(project.folder, "ssh_config"),
      `Host *\n  UserKnownHostsFile ${lab["LAB_KNOWN_HOSTS"]}\n  StrictHostKeyChecking yes\n  HostKeyAlias ${A}\n`,
    );
    project.write(".mrsk/hooks/pre-deploy", "#!/bin/sh\nsleep 3\n");
    chmodSync(join(project.folder, ".mrsk/hooks/pre-deploy"), 0o755);
    const version = await project.commit("Port");
    const deployed = succeeded(await project.mrsk("deploy"));
    const connected = `ssh: connected to deploy@${A_INNER}, port 2222`;
    expect(deployed.stderr.split(connected).length - 1).toBeGreaterThanOrEqual(2);
    expect((await ask("a", "/version")).text).toBe(`${version}\n`);
    const shown = succeeded(await project.mrsk("app", "details"));
    expect(shown.stdout).toContain(`App Host: deploy@${A_INNER}:2222\n`);
    expect(shown.stdout).toContain(`keys-port-web-${version}`);
    await onServer("a", "kill $(cat /run/sshd-2222.pid)");
  });
});
