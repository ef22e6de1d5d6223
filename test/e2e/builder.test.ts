import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuildProject, images, manifestOf, platformsOf, programOf } from "./builds.ts";
import { lab, succeeded, sweep } from "./project.ts";

const HOST = lab["LAB_A"]!;
const NAME = "mrsk-builder-native-remote";

describe("builders", () => {
  let project: BuildProject;

  const configure = (builder: Record<string, unknown>) => project.configure({ servers: [HOST], builder });
  const contexts = () => project.docker("context", "ls", "--format", "{{.Name}} {{.DockerEndpoint}}");
  /** Wraps the ssh that docker calls with the options that a user has in ~/.ssh/config. */
  const sshOfDocker = (flags: string) => {
    const ssh = programOf("ssh");
    project.shim("ssh", `case "$*" in *dial-stdio*) exec ${ssh} ${flags} "$@" ;; *) exec ${ssh} "$@" ;; esac`);
  };

  beforeAll(async () => {
    await sweep("a");
    project = await BuildProject.make("builder");
    project.write("Dockerfile", "FROM scratch\nCOPY server.js /\n");
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    configure({ multiarch: false });
    await project.commit("First version");
  });
  afterAll(() => sweep("a"));

  test("a remote builder over ssh: its engine builds and pushes", async () => {
    sshOfDocker(`-F ${project.folder}/ssh_config -i ${lab["LAB_KEY"]}`);
    // Docker's own driver in place of a BuildKit container, which the lab's server may not start.
    await project.docker("context", "create", NAME, "--docker", `host=ssh://root@${HOST}`);
    await project.docker("context", "use", NAME);
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}` } });
    const version = await project.commit("Built on the server");
    succeeded(await project.mrsk("build", "push"));
    expect(await manifestOf("lab/builder", version)).toBeDefined();
    expect(await images("a")).toContain(`registry:5000/lab/builder:${version} `);
    await project.docker("context", "use", "default");
    await project.docker("context", "rm", NAME);
  });

  test("a builder is created, created again when its host changes, shown, removed", async () => {
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}` } });
    succeeded(await project.mrsk("build", "create"));
    expect(await contexts()).toMatch(new RegExp(`^${NAME}-amd64 ssh://root@${HOST}$`, "m"));
    expect(succeeded(await project.mrsk("build", "create")).stderr).toContain(`The builder ${NAME} already exists`);
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}:22` } });
    succeeded(await project.mrsk("build", "create"));
    expect(await contexts()).toMatch(new RegExp(`^${NAME}-amd64 ssh://root@${HOST}:22$`, "m"));
    const details = succeeded(await project.mrsk("build", "details")).stdout;
    expect(details).toMatch(new RegExp(`^Builder: ${NAME}\n`));
    expect(details).toContain(`${NAME}-amd64`);
    // As a crash leaves it: the context without its builder.
    await project.docker("buildx", "rm", NAME);
    succeeded(await project.mrsk("build", "create"));
    succeeded(await project.mrsk("build", "remove"));
    expect(await contexts()).not.toContain(NAME);
    expect(await project.docker("buildx", "ls")).not.toContain(NAME);
    expect(succeeded(await project.mrsk("build", "remove")).stderr).toContain(`There is no builder ${NAME}`);
  });

  const HYBRID = "mrsk-builder-multiarch-remote";
  const hybrid = {
    local: { arch: "amd64", host: "unix:///var/run/docker.sock" },
    remote: { arch: "arm64", host: `ssh://root@${HOST}` },
  };

  test("a hybrid builder: a context and a node for this machine and for the other, each with its platform", async () => {
    sshOfDocker(`-F ${project.folder}/ssh_config -i ${lab["LAB_KEY"]}`);
    configure(hybrid);
    succeeded(await project.mrsk("build", "create"));
    expect(await contexts()).toMatch(new RegExp(`^${HYBRID}-amd64 unix:///var/run/docker.sock$`, "m"));
    expect(await contexts()).toMatch(new RegExp(`^${HYBRID}-arm64 ssh://root@${HOST}$`, "m"));
    const nodes = await project.docker("buildx", "inspect", HYBRID);
    expect([...nodes.matchAll(/^(?:Endpoint|Platforms): +(.+)$/gm)].map(([, value]) => value)).toEqual([
      `${HYBRID}-amd64`,
      "linux/amd64*",
      `${HYBRID}-arm64`,
      "linux/arm64*",
    ]);
    succeeded(await project.mrsk("build", "remove"));
    expect(await contexts()).not.toContain(HYBRID);
  });

  test("a hybrid build: each node builds its platform, and one image has both", async () => {
    // BuildKit's own driver in place of containers on both engines, which need more privileges than the lab has.
    await project.useBuildkit(HYBRID, ["linux/amd64", "linux/arm64"]);
    const { LAB_REGISTRY_ON_LOOPBACK: server, LAB_REGISTRY_USER: username } = lab;
    const registry = { server, username, password: ["MRSK_REGISTRY_PASSWORD"] };
    project.configure({ servers: [HOST], builder: hybrid, registry });
    const version = await project.commit("Built in two places");
    succeeded(await project.mrsk("registry", "login", "--skip-remote"));
    const { stderr } = succeeded(await project.mrsk("build", "push"));
    expect(stderr).toContain(`merging manifest list ${server}/lab/builder:${version},${server}/lab/builder:latest`);
    expect(platformsOf(await manifestOf("lab/builder", version))).toEqual(["linux/amd64", "linux/arm64"]);
  });

  test("a hybrid build whose parts could not be joined fails, whatever buildx prints", async () => {
    configure(hybrid);
    const version = await project.commit("Not joined");
    const failed = await project.mrsk("build", "push");
    expect(failed.stderr).toContain("merging manifest list");
    expect(failed.status).toBe(5);
    expect(failed.stderr).toContain("The image could not be pushed");
    expect(await manifestOf("lab/builder", version)).toBeUndefined();
    await project.docker("buildx", "rm", HYBRID);
  });

  test("if ssh cannot reach the builder, the error has the command to check it", async () => {
    sshOfDocker("-F none -o BatchMode=yes -o UserKnownHostsFile=/dev/null");
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}` } });
    const refused = await project.mrsk("build", "create");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("Host key verification failed");
    expect(refused.stderr).toContain(`docker -H ssh://root@${HOST} version`);
  });

  test("what is missing on this machine is named", async () => {
    configure({});
    project.shim(
      "docker",
      `if [ "$1" = buildx ]; then echo "docker: 'buildx' is not a docker command" >&2; exit 1; fi; exec ${programOf("docker")} "$@"`,
    );
    const buildx = await project.mrsk("build", "push");
    expect(buildx.status).toBe(5);
    expect(buildx.stderr).toContain("Docker buildx plugin is not installed locally");
    project.shim("docker", "exit 127");
    const docker = await project.mrsk("build", "push");
    expect(docker.status).toBe(5);
    expect(docker.stderr).toContain("Docker is not installed locally");
    rmSync(join(project.programs, "docker"));
  });
});
