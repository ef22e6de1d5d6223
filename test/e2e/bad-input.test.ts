import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { lab, onServer, Project, type Ran, sweep } from "./project.ts";

const HOST = lab["LAB_A"]!;

describe("bad input gets one error with the problem, its place and a remedy, and changes nothing", () => {
  const project = new Project("bad");

  const configure = (more: Record<string, unknown> = {}) => project.configure({ servers: [HOST], ...more });

  /** Expects the exit code, all the texts, no stack trace, and nothing left on the server. */
  const expectRefused = async (ran: Ran, status: number, ...words: readonly string[]) => {
    for (const word of words) expect(ran.stderr).toContain(word);
    expect(ran.status).toBe(status);
    expect(ran.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
    expect(await onServer("a", "docker ps -aq; ls -d .mrsk/lock-* 2>/dev/null || true")).toBe("");
  };

  beforeAll(() => sweep("a"));
  beforeEach(async () => {
    configure();
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    await project.commit("Before").catch(() => "nothing changed");
  });
  afterAll(() => sweep("a"));

  test("no configuration", async () => {
    rmSync(join(project.folder, "config/deploy.yml"));
    await expectRefused(await project.mrsk("deploy"), 3, "Configuration file not found in", "mrsk init");
  });

  test("YAML that does not parse, several mistakes in one error", async () => {
    project.write("config/deploy.yml", "service: a\n  image: b\n");
    await expectRefused(await project.mrsk("deploy"), 3, "config/deploy.yml:1:10", "check the indentation");
    project.write("config/deploy.yml", "service: a b\nimage: x\nservres: [1.1.1.1]\nregistry: {username: u}\n");
    await expectRefused(
      await project.mrsk("deploy"),
      3,
      "config/deploy.yml:1:",
      "config/deploy.yml:3:1",
      "servers?",
      "config/deploy.yml:4:",
    );
  });

  test("an unknown command, option, host, role", async () => {
    await expectRefused(await project.mrsk("deplyo"), 2, "Unknown command 'deplyo'");
    await expectRefused(await project.mrsk("deploy", "--bogus"), 2, "Unknown option '--bogus'");
    await expectRefused(
      await project.mrsk("deploy", "--hosts", "192.0.2.77"),
      2,
      "No --hosts match for 192.0.2.77",
      HOST,
    );
    await expectRefused(await project.mrsk("deploy", "--roles", "nosuch"), 2, "No --roles match for nosuch", "web");
  });

  test("secrets that are not set, all in one error", async () => {
    configure({ env: { secret: ["ONE_SECRET", "TWO_SECRET"] } });
    project.write(".env", "");
    await expectRefused(
      await project.mrsk("deploy"),
      3,
      "ONE_SECRET",
      "TWO_SECRET",
      "MRSK_REGISTRY_PASSWORD",
      "env of role web",
    );
  });

  test("a flag that Traefik 3 dropped", async () => {
    configure({ traefik: { args: { "pilot.token": "x" } } });
    await expectRefused(await project.mrsk("deploy"), 3, "config/deploy.yml: ", "traefik.args.pilot.token");
  });

  test("invalid values, files and names, with their places", async () => {
    project.write(".env", `MRSK_REGISTRY_PASSWORD=\nLARGE=${"x".repeat(200_000)}\n`);
    await expectRefused(await project.mrsk("deploy"), 3, ".env:2:1: LARGE: ", "131071 bytes");
    project.write(".env", "MRSK_REGISTRY_PASSWORD=\n");
    await expectRefused(
      await project.mrsk("deploy"),
      3,
      "MRSK_REGISTRY_PASSWORD is empty (required by registry/password)",
    );
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    const db = { image: "x", host: HOST, files: ["nosuch.cnf:/etc/a", "config/nosuch:/etc/b"] };
    configure({ accessories: { db } });
    await expectRefused(
      await project.mrsk("setup"),
      3,
      "accessories/db/files/0: there is no file nosuch.cnf",
      "accessories/db/files/1: there is no file config/nosuch",
    );
    configure({ env: { secret: ["${KEY}"] }, hooks_path: "${HOOKS}" });
    await expectRefused(
      await project.mrsk("deploy"),
      3,
      "${KEY} is not replaced here: write KEY",
      '${HOOKS} is not replaced here: write <%= ENV["HOOKS"] %>',
    );
    configure();
    await expectRefused(await project.mrsk("deploy", "-d", "../../x"), 2, "'../../x' cannot be a destination");
  });

  test("no Dockerfile", async () => {
    const dockerfile = join(project.folder, "Dockerfile");
    const text = readFileSync(dockerfile, "utf8");
    rmSync(dockerfile);
    configure({ builder: { multiarch: false, context: "." } });
    await expectRefused(await project.mrsk("deploy"), 3, "Missing Dockerfile");
    writeFileSync(dockerfile, text);
  });

  test("no git repository and no version", async () => {
    const bare = new Project("bad-bare");
    bare.configure({ servers: [HOST] });
    bare.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    await expectRefused(await bare.mrsk("deploy"), 2, "no git repository found in", "--version");
  });

  test("an unknown host, a closed port, another host key", async () => {
    configure({ servers: ["nosuch.invalid"] });
    await expectRefused(await project.mrsk("deploy"), 5, "nosuch.invalid", "cannot resolve the host name");
    configure({ servers: ["127.0.2.99"] });
    await expectRefused(await project.mrsk("deploy"), 5, "connection refused at 127.0.2.99:22");
    configure();
    const other = readFileSync(join(lab["LAB_KEY"]!, "../id_wrong.pub"), "utf8").split(" ")[1];
    const known = join(project.folder, "known");
    writeFileSync(known, `${HOST} ssh-ed25519 ${other}\n`);
    writeFileSync(join(project.folder, "ssh_config"), `Host *\n  UserKnownHostsFile ${known}\n`);
    await expectRefused(await project.mrsk("deploy"), 5, "does not match", "known line 1", "ssh-keygen -R");
    writeFileSync(join(project.folder, "ssh_config"), `Host *\n  UserKnownHostsFile ${lab["LAB_KNOWN_HOSTS"]}\n`);
  });

  test("a key that the server refuses", async () => {
    const wrong = join(lab["LAB_KEY"]!, "../id_wrong");
    configure({ ssh: { keys: [wrong], keys_only: true, config: [join(project.folder, "ssh_config")] } });
    await expectRefused(
      await project.mrsk("deploy"),
      5,
      "accepted no public key for root",
      "id_wrong",
      "authorized_keys",
    );
  });

  test("a login user who may not use docker", async () => {
    configure({ ssh: { user: "nobody2", keys: [lab["LAB_KEY"]], config: [join(project.folder, "ssh_config")] } });
    await expectRefused(await project.mrsk("deploy"), 5, HOST, "permission denied", "usermod -aG docker");
  });

  test("a registry that refuses the login, a missing image", async () => {
    project.write(".env", "MRSK_REGISTRY_PASSWORD=wrong\n");
    await expectRefused(await project.mrsk("deploy"), 5, "refuses the login", "registry/password");
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    await expectRefused(
      await project.mrsk("deploy", "-P", "--version", "nosuch"),
      2,
      "has no image",
      "mrsk build push",
    );
  });

  test("a lock that another run holds", async () => {
    const held = await project.mrsk("lock", "acquire", "-m", "Do not touch");
    expect(held.status).toBe(0);
    const ran = await project.mrsk("deploy");
    expect(ran.status).toBe(4);
    for (const word of ["Locked by: ", "Do not touch", "mrsk lock release"]) expect(ran.stderr).toContain(word);
    expect((await project.mrsk("lock", "release")).stdout).toBe("Released the deploy lock");
  });

  test("port 80 in use by another program", async () => {
    await onServer("a", "docker run -d --name squatter -p 80:80 node:20-bookworm-slim sleep 600");
    const ran = await project.mrsk("deploy");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("port 80, which Traefik needs, is taken by the container squatter");
    expect(ran.stderr).toContain("traefik.host_port");
    expect(await onServer("a", "docker ps -a --format '{{.Names}}'")).toBe("squatter");
    await onServer("a", "docker rm -f squatter");
    appendFileSync(join(project.folder, "round.txt"), "x");
  });
});
