import { createHash, randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BuildProject, manifestOf, platformsOf } from "./builds.ts";
import { ask, lab, onServer, PROGRAM, succeeded, sweep } from "./project.ts";

const HOST = lab["LAB_A"]!;
const TOKEN = "npm-token-value";
const IMAGE = "registry:5000/lab/build";

const COPYING = `FROM node:20-bookworm-slim
WORKDIR /app
COPY . .
EXPOSE 3000
CMD ["node", "server.js"]
`;

// The build's inputs. The last stage would fail.
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

/** Argument lists of all processes that run during `work`. */
async function argumentsDuring(work: Promise<unknown>): Promise<string> {
  const ended = work.then(() => true);
  const seen = new Set<string>();
  do {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // The process has ended.
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
    // Do not use another run's cache.
    project.write("unique.txt", randomUUID());
    configure({ multiarch: false });
    first = await project.commit("First version");
  });
  beforeEach(() => {
    configure({ multiarch: false });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\nNPM_TOKEN=${TOKEN}\n`);
  });
  afterAll(() => sweep("a"));

  test("docker's own builder: secrets, arguments and a stage; no secret is in the output", async () => {
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

  test("no secret is in the output without -v either", async () => {
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

  test("uncommitted changes are a warning, and are not built", async () => {
    project.write("content.txt", "changed");
    project.write("new.txt", "new");
    const { stderr } = succeeded(await project.mrsk("redeploy"));
    expect(stderr).toContain("uncommitted changes, which will not be in the image:");
    for (const path of ["content.txt", "new.txt"]) expect(stderr).toContain(path);
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
    expect(await inImage(first, "content.txt")).toBe("committed");
    expect(readdirSync(project.temporary)).toEqual([]);
  });

  test("with a context the folder is built as it is, with a unique version", async () => {
    configure({ multiarch: false, context: "." });
    const { stderr } = succeeded(await project.mrsk("redeploy"));
    expect(stderr).not.toContain("uncommitted changes, which");
    const version = (await ask("a", "/version")).text.trim();
    expect(version).toMatch(new RegExp(`^${first}_uncommitted_[0-9a-f]{16}$`));
    expect(await inImage(version, "content.txt new.txt")).toBe("changednew");
  });

  test("a Dockerfile must be where the build reads it", async () => {
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

  test("a failing step runs once, whatever it prints", async () => {
    project.write(
      "Dockerfile.failing",
      `${COPYING}RUN echo 'no builder "x" found: no such file or directory, denied: unauthorized' && echo ran && false\n`,
    );
    configure({ multiarch: false, dockerfile: "Dockerfile.failing", context: "." });
    const failed = await project.mrsk("build", "push");
    expect(failed.status).toBe(5);
    expect(failed.stderr).toContain("The image could not be built and pushed");
    expect(failed.stderr).not.toContain("requires a login");
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

  test("an image for another architecture is an error before any switch", async () => {
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
    expect(plain.stderr).toContain(`${IMAGE}:plain-arm is built for arm64, but this host is x86_64`);
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
  });

  test("an image that mrsk did not build must have the service label", async () => {
    await buildElsewhere("unlabeled", "--platform", "linux/amd64");
    const refused = await project.mrsk("build", "pull", "--version", "unlabeled");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("missing the 'service' label");
    expect(refused.stderr).toContain("--label service=build");
    await buildElsewhere("foreign", "--platform", "linux/amd64", "--label", "service=other");
    const foreign = await project.mrsk("build", "pull", "--version", "foreign");
    expect(foreign.stderr).toContain("has the label service=other, not build");
  });

  test("an interrupted build leaves no files", async () => {
    project.write("Dockerfile.slow", `${COPYING}RUN echo building ${randomUUID()} && sleep 60\n`);
    await project.commit("A slow build");
    configure({ multiarch: false, dockerfile: "Dockerfile.slow" });
    const running = project.start("build", "push");
    await new Promise<void>((resolve) => {
      running.stderr.on("data", (text: Buffer) => /\d building /.test(text.toString()) && resolve());
    });
    expect(readdirSync(project.temporary)).toHaveLength(1);
    running.kill("SIGINT");
    expect((await running).exitCode).toBe(130);
    expect(readdirSync(project.temporary)).toEqual([]);
  });

  test("of a sparse checkout of a partial clone the whole commit is built, readable for every user", async () => {
    project.write("unique.txt", randomUUID());
    first = await project.commit("Before");
    succeeded(await project.mrsk("redeploy"));
    project.write("docs/page.txt", "not checked out");
    project.write("content.txt", " but built");
    const version = await project.commit("With a page");
    const git = async (...words: string[]) => (await execa("git", words, { cwd: project.folder })).stdout;
    const place = mkdtempSync(join(tmpdir(), "mrsk-partial-"));
    await git("clone", "-q", "--bare", ".", join(place, "upstream"));
    await git("-C", join(place, "upstream"), "config", "uploadpack.allowFilter", "true");
    await git("-C", join(place, "upstream"), "config", "uploadpack.allowAnySHA1InWant", "true");
    const partial = ["--depth=1", "--filter=blob:none", "--no-checkout", `file://${place}/upstream`];
    await git("clone", "-q", ...partial, join(place, "partial"));
    for (const path of [".git", "docs"]) rmSync(join(project.folder, path), { recursive: true });
    renameSync(join(place, "partial/.git"), join(project.folder, ".git"));
    await git("sparse-checkout", "set", "--no-cone", "/config");
    await git("reset", "-q", "--hard");
    expect(await git("rev-list", "--objects", "--no-walk", "--missing=print", "HEAD")).toMatch(/^\?/m);
    project.write("hooks/post-checkout", "#!/bin/sh\nexit 1\n");
    chmodSync(join(project.folder, "hooks/post-checkout"), 0o755);
    await git("config", "core.hooksPath", join(project.folder, "hooks"));
    configure({ multiarch: false }, { retain_containers: 1 });
    const strict = `umask 077 && exec node '${PROGRAM}' redeploy`;
    await execa("sh", ["-c", strict], { cwd: project.folder, env: project.environment, extendEnv: false });
    const read = `docker run --rm --user 1000 ${IMAGE}:${version} cat docs/page.txt content.txt`;
    expect(await onServer("a", read)).toBe("not checked out but built");
    expect(readdirSync(project.temporary)).toEqual([]);
    // A redeploy prunes.
    expect(await onServer("a", "docker ps -a --filter label=service=build --format '{{.Names}}' | sort")).toBe(
      [`build-web-${first}`, `build-web-${version}`].toSorted().join("\n"),
    );
  });

  test("rollback accepts seven digits of a version", async () => {
    succeeded(await project.mrsk("rollback", first.slice(0, 7)));
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
  });
});
