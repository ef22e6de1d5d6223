import { createHash, randomUUID } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execaSync } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BuildProject, manifestOf, platformsOf } from "./builds.ts";
import { ask, lab, onServer, succeeded, sweep } from "./project.ts";

const HOST = lab["LAB_A"]!;
const PASSWORD = lab["LAB_REGISTRY_PASSWORD"]!;
const TOKEN = "npm-token-value";
const [SSH, DOCKER] = ["ssh", "docker"].map((name) => execaSync("which", [name]).stdout);
const IMAGE = "registry:5000/lab/build";

const COPYING = `FROM node:20-bookworm-slim
WORKDIR /app
COPY . .
EXPOSE 3000
CMD ["node", "server.js"]
`;

// What is read at build time; the last stage would fail.
const STAGES = `FROM node:20-bookworm-slim AS app
ARG COLOR
WORKDIR /app
COPY . .
RUN --mount=type=secret,id=NPM_TOKEN sha256sum /run/secrets/NPM_TOKEN | cut -c1-64 >token.sha && echo "$COLOR" >color \\
 && echo "printed: $(cat /run/secrets/NPM_TOKEN) $COLOR" && sleep 1
EXPOSE 3000
CMD ["node", "server.js"]
FROM app AS never
RUN exit 1
`;

/** Argument lists of every process, while `work` is under way. */
async function argumentsDuring(work: Promise<unknown>): Promise<string> {
  const ended = work.then(() => true);
  const seen = new Set<string>();
  do {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It ended meanwhile.
      }
    }
  } while (!(await Promise.race([ended, sleep(200, false)])));
  return [...seen].join("\n");
}

/** `docker run` of a file's content. */
const inImage = (version: string, file: string) => onServer("a", `docker run --rm ${IMAGE}:${version} cat ${file}`);

describe("builds", () => {
  let project: BuildProject;
  let first = "";

  const configure = (builder: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    project.configure({ servers: [HOST], builder, ...more });
  const registry = (more: Record<string, unknown>) => ({
    registry: {
      server: lab["LAB_REGISTRY"],
      username: lab["LAB_REGISTRY_USER"],
      password: ["MRSK_REGISTRY_PASSWORD"],
      ...more,
    },
  });
  const secrets = (password: string) =>
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${password}\nNPM_TOKEN=${TOKEN}\nREGISTRY_USER=mrsk\n`);
  const images = () => onServer("a", `docker image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort`);
  /** Puts a program of that name before the machine's. */
  const shim = (name: string, text: string) =>
    writeFileSync(join(project.programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });

  /** Flags for the ssh that docker calls to reach an engine: what a person has in ~/.ssh/config. */
  const sshOfDocker = (flags: string) =>
    shim("ssh", `case "$*" in *dial-stdio*) exec ${SSH} ${flags} "$@" ;; *) exec ${SSH} "$@" ;; esac`);
  /** An image that mrsk did not build: a plain manifest. */
  const buildElsewhere = (version: string, ...words: readonly string[]) =>
    project.docker(
      ..."buildx build --builder mrsk-build-multiarch --provenance=false --push --file Dockerfile.tiny".split(" "),
      "-t",
      `${IMAGE}:${version}`,
      ...words,
      ".",
    );

  beforeAll(async () => {
    await sweep("a");
    project = await BuildProject.make("build");
    project.write("Dockerfile", COPYING);
    project.write("Dockerfile.stages", STAGES);
    project.write("Dockerfile.tiny", "FROM scratch\nCOPY server.js /\n");
    project.write("content.txt", "committed");
    // Nothing of another run's cache will do.
    project.write("unique.txt", randomUUID());
    configure({ multiarch: false });
    first = await project.commit("First version");
  });
  beforeEach(() => {
    configure({ multiarch: false });
    secrets(PASSWORD);
  });
  afterAll(() => sweep("a"));

  test("docker's own builder: secrets, arguments and a stage, and nothing of them shows", async () => {
    configure({
      multiarch: false,
      dockerfile: "Dockerfile.stages",
      target: "app",
      args: { COLOR: "a 'fine' green" },
      secrets: ["NPM_TOKEN"],
    });
    const running = project.mrsk("deploy", "-v");
    const argv = await argumentsDuring(running);
    const { stdout, stderr } = succeeded(await running);
    expect(stderr).toContain("printed: [REDACTED] [REDACTED]");
    expect(argv).toContain("--secret id=NPM_TOKEN");
    const history = await onServer("a", `docker history --no-trunc ${IMAGE}:${first}`);
    for (const text of [stdout + stderr, argv, history]) expect(text).not.toContain(TOKEN);
    for (const text of [stdout + stderr, argv]) expect(text).not.toContain("'fine'");
    expect(await inImage(first, "token.sha")).toBe(createHash("sha256").update(TOKEN).digest("hex"));
    expect(await inImage(first, "color")).toBe("a 'fine' green");
    expect(readdirSync(project.temporary)).toEqual([]);
  });

  test("a secret does not show without -v either", async () => {
    configure({
      multiarch: false,
      dockerfile: "Dockerfile.stages",
      target: "app",
      args: { COLOR: "another" },
      secrets: ["NPM_TOKEN"],
    });
    const { stderr } = succeeded(await project.mrsk("build", "push"));
    expect(stderr).toContain("printed: [REDACTED] [REDACTED]");
    expect(stderr).not.toContain(TOKEN);
  });

  test("what is not committed is told, and not built", async () => {
    project.write("content.txt", "changed");
    project.write("new.txt", "new");
    const { stderr } = succeeded(await project.mrsk("redeploy"));
    expect(stderr).toContain("uncommitted changes, which will not be in the image:");
    for (const path of ["content.txt", "new.txt"]) expect(stderr).toContain(path);
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
    expect(await inImage(first, "content.txt")).toBe("committed");
    expect(readdirSync(project.temporary)).toEqual([]);
  });

  test("with a context the folder is built as it is, under a version of its own", async () => {
    configure({ multiarch: false, context: "." });
    const { stderr } = succeeded(await project.mrsk("redeploy"));
    expect(stderr).not.toContain("uncommitted changes, which");
    const version = (await ask("a", "/version")).text.trim();
    expect(version).toMatch(new RegExp(`^${first}_uncommitted_[0-9a-f]{16}$`));
    expect(await inImage(version, "content.txt new.txt")).toBe("changednew");
  });

  test("a Dockerfile is looked for where it would be read", async () => {
    project.write("Dockerfile.new", COPYING);
    configure({ multiarch: false, dockerfile: "Dockerfile.new" });
    const missing = await project.mrsk("build", "push");
    expect(missing.status).toBe(3);
    expect(missing.stderr).toContain(`Missing Dockerfile.new in the commit ${first.slice(0, 7)}`);
    configure({ multiarch: false, dockerfile: "Dockerfile.new", context: "." });
    succeeded(await project.mrsk("build", "push"));
    configure({ multiarch: false, dockerfile: "Dockerfile.nowhere", context: "." });
    const nowhere = await project.mrsk("build", "push");
    expect(nowhere.status).toBe(3);
    expect(nowhere.stderr).toContain("Missing Dockerfile.nowhere\n");
  });

  test("whatever a failing step prints, it runs once", async () => {
    project.write(
      "Dockerfile.failing",
      `${COPYING}RUN echo 'no builder "x" found: no such file or directory, denied: unauthorized' && echo ran && false\n`,
    );
    configure({ multiarch: false, dockerfile: "Dockerfile.failing", context: "." });
    const failed = await project.mrsk("build", "push");
    expect(failed.status).toBe(5);
    expect(failed.stderr).toContain("The image could not be built and pushed");
    expect(failed.stderr).not.toContain("wants a login");
    const [progress = ""] = failed.stderr.split("ERROR (");
    expect(progress.match(/#\d+ [\d.]+ ran$/gm)).toHaveLength(1);
  });

  test("two architectures from BuildKit, and a cache in the registry", async () => {
    first = await project.commit("Second version");
    await project.useBuildkit("mrsk-build-multiarch");
    configure({ cache: { type: "registry", options: "mode=max" } });
    succeeded(await project.mrsk("deploy"));
    expect(platformsOf(await manifestOf("lab/build", first))).toEqual(["linux/amd64", "linux/arm64"]);
    expect(await manifestOf("lab/build-build-cache", "latest")).toBeDefined();
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
    expect(
      await onServer("a", `docker image inspect -f '{{.Architecture}} {{.Config.Labels.service}}' ${IMAGE}:${first}`),
    ) //
      .toBe("amd64 build");
    await project.docker("buildx", "prune", "--builder", "mrsk-build-multiarch", "--all", "--force");
    const { stderr } = succeeded(await project.mrsk("build", "push"));
    expect(stderr).toContain("importing cache manifest from registry:5000/lab/build-build-cache");
    expect(stderr).toMatch(/\[linux\/arm64 .*\] COPY \. \.[\s\S]*CACHED/);
  });

  test("an image for another architecture is found out before anything is switched", async () => {
    configure({ local: { arch: "arm64" }, dockerfile: "Dockerfile.tiny" });
    const refused = await project.mrsk("redeploy", "--version", "for-arm");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("no matching manifest");
    expect(refused.stderr).toContain("builder.local.arch");
    expect(platformsOf(await manifestOf("lab/build", "for-arm"))).toEqual(["linux/arm64"]);
    // Without a list of platforms docker pulls what the host cannot run.
    await buildElsewhere("plain-arm", "--platform", "linux/arm64", "--label", "service=build");
    const plain = await project.mrsk("redeploy", "-P", "--version", "plain-arm");
    expect(plain.status).toBe(5);
    expect(plain.stderr).toContain(`${IMAGE}:plain-arm is built for arm64, and this host is x86_64`);
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
  });

  test("an image that was built elsewhere has to name its service", async () => {
    await buildElsewhere("unlabeled", "--platform", "linux/amd64");
    const refused = await project.mrsk("build", "pull", "--version", "unlabeled");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("missing the 'service' label");
    expect(refused.stderr).toContain("--label service=build");
    await buildElsewhere("foreign", "--platform", "linux/amd64", "--label", "service=other");
    const foreign = await project.mrsk("build", "pull", "--version", "foreign");
    expect(foreign.stderr).toContain("has the label service=other, not build");
  });

  test("a remote builder over ssh: its engine builds and pushes", async () => {
    sshOfDocker(`-F ${project.folder}/ssh_config -i ${lab["LAB_KEY"]}`);
    // Docker's own driver in place of a BuildKit container, which the lab's server may not start.
    await project.docker("context", "create", "mrsk-build-native-remote", "--docker", `host=ssh://root@${HOST}`);
    await project.docker("context", "use", "mrsk-build-native-remote");
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}` }, dockerfile: "Dockerfile.tiny" });
    const version = await project.commit("Built on the server");
    succeeded(await project.mrsk("build", "push"));
    expect(await manifestOf("lab/build", version)).toBeDefined();
    expect(await images()).toContain(`${IMAGE}:${version} `);
    await project.docker("context", "use", "default");
    await project.docker("context", "rm", "mrsk-build-native-remote");
  });

  test("a builder's life: created, made anew when its host changes, shown, removed", async () => {
    const contexts = () => project.docker("context", "ls", "--format", "{{.Name}} {{.DockerEndpoint}}");
    const name = "mrsk-build-native-remote";
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}` } });
    succeeded(await project.mrsk("build", "create"));
    expect(await contexts()).toMatch(new RegExp(`^${name}-amd64 ssh://root@${HOST}$`, "m"));
    expect(succeeded(await project.mrsk("build", "create")).stderr).toContain(`The builder ${name} is there`);
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}:22` } });
    succeeded(await project.mrsk("build", "create"));
    expect(await contexts()).toMatch(new RegExp(`^${name}-amd64 ssh://root@${HOST}:22$`, "m"));
    const details = succeeded(await project.mrsk("build", "details")).stdout;
    expect(details).toMatch(new RegExp(`^Builder: ${name}\n`));
    expect(details).toContain(`${name}-amd64`);
    // As a crash leaves it: the context without its builder.
    await project.docker("buildx", "rm", name);
    succeeded(await project.mrsk("build", "create"));
    succeeded(await project.mrsk("build", "remove"));
    expect(await contexts()).not.toContain(name);
    expect(await project.docker("buildx", "ls")).not.toContain(name);
    expect(succeeded(await project.mrsk("build", "remove")).stderr).toContain(`There is no builder ${name}`);
  });

  test("a builder that ssh does not reach says how to see why", async () => {
    sshOfDocker("-F none -o BatchMode=yes -o UserKnownHostsFile=/dev/null");
    configure({ remote: { arch: "amd64", host: `ssh://root@${HOST}` } });
    const refused = await project.mrsk("build", "create");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("Host key verification failed");
    expect(refused.stderr).toContain(`docker -H ssh://root@${HOST} version`);
  });

  test("what is missing on this machine is named", async () => {
    configure({});
    shim(
      "docker",
      `if [ "$1" = buildx ]; then echo "docker: 'buildx' is not a docker command" >&2; exit 1; fi; exec ${DOCKER} "$@"`,
    );
    const buildx = await project.mrsk("build", "push");
    expect(buildx.status).toBe(5);
    expect(buildx.stderr).toContain("Docker buildx plugin is not installed locally");
    shim("docker", "exit 127");
    const docker = await project.mrsk("build", "push");
    expect(docker.status).toBe(5);
    expect(docker.stderr).toContain("Docker is not installed locally");
    rmSync(join(project.programs, "docker"));
  });

  test("a registry that does not answer changes nothing on the host", async () => {
    const before = await images();
    configure({ multiarch: false }, registry({ server: "172.30.77.2:5999" }));
    const refused = await project.mrsk("redeploy", "-P", "--version", first);
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain(`${HOST}: the registry 172.30.77.2:5999 does not answer`);
    expect(await images()).toBe(before);
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
  });

  test("registry login and logout where they are asked for, and the stored login serves", async () => {
    const logins = async () => ({
      here: readFileSync(join(project.folder, ".docker-config/config.json"), "utf8").includes("registry:5000"),
      there: (await onServer("a", "cat .docker/config.json 2>/dev/null || true")).includes("registry:5000"),
    });
    succeeded(await project.mrsk("registry", "logout"));
    expect(await logins()).toEqual({ here: false, there: false });
    configure({ multiarch: false }, registry({ username: ["REGISTRY_USER"] }));
    succeeded(await project.mrsk("registry", "login", "--skip-remote"));
    expect(await logins()).toEqual({ here: true, there: false });
    succeeded(await project.mrsk("registry", "login", "-L"));
    expect(await logins()).toEqual({ here: true, there: true });
    secrets("expired");
    succeeded(await project.mrsk("build", "deliver"));
    succeeded(await project.mrsk("registry", "logout", "--skip-local"));
    expect(await logins()).toEqual({ here: true, there: false });
    const before = await images();
    const expired = await project.mrsk("build", "pull");
    expect(expired.status).toBe(5);
    expect(expired.stderr).toContain("refuses the login");
    expect(await images()).toBe(before);
    succeeded(await project.mrsk("registry", "logout", "-R"));
    expect(await logins()).toEqual({ here: false, there: false });
  });
});
