import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { execa, execaSync } from "execa";
import { lab, onServer, Project } from "./project.ts";

/** A project whose docker has buildx and BuildKit, with its own temporary folder and folder of programs. */
export class BuildProject extends Project {
  readonly temporary: string;
  /** Precedes the machine's programs in PATH. */
  readonly programs: string;

  private constructor(service: string, temporary: string) {
    const programs = join(temporary, "programs");
    const work = join(temporary, "tmp");
    mkdirSync(programs);
    mkdirSync(work);
    // Otherwise node stores compiled code in the temporary folder.
    const cache = join(temporary, "cache");
    super(service, {
      DOCKER_BUILDKIT: "1",
      NODE_COMPILE_CACHE: cache,
      TMPDIR: work,
      PATH: `${programs}:${process.env["PATH"]}`,
    });
    this.temporary = work;
    this.programs = programs;
  }

  /** @throws Error if this machine has no buildx */
  static async make(service: string): Promise<BuildProject> {
    const { stdout } = await execa("docker", [
      "info",
      "--format",
      "{{range .ClientInfo.Plugins}}{{.Name}} {{.Path}}\n{{end}}",
    ]);
    const plugin = /^buildx (.+)$/m.exec(stdout)?.[1];
    if (plugin === undefined) throw new Error("these tests need buildx: test/lab/lab up");
    const project = new BuildProject(service, mkdtempSync(join(tmpdir(), "mrsk-builds-")));
    symlinkSync(dirname(plugin), join(project.folder, ".docker-config/cli-plugins"));
    return project;
  }

  /** `docker …` on this machine as the project sees it. */
  async docker(...words: readonly string[]): Promise<string> {
    return (await execa("docker", words, { cwd: this.folder, env: this.environment, extendEnv: false })).stdout;
  }

  /** Adds a program that replaces the machine's program of that name. */
  shim(name: string, text: string): void {
    writeFileSync(join(this.programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  /**
   * A builder that runs in the lab's BuildKit, which builds for other architectures too.
   * @param platforms one node with its own BuildKit for each; default: one node for all platforms of BuildKit
   */
  async useBuildkit(name: string, platforms: readonly string[] = []): Promise<void> {
    const { stdout } = await execa(resolve(import.meta.dirname, "../lab/lab"), ["buildkit"]);
    const [first = "", second = ""] = stdout.trim().split("\n");
    const create = ["buildx", "create", "--name", name, "--driver", "remote"];
    const [one, another] = platforms.map((platform) => ["--platform", platform]);
    await this.docker(...create, ...(one ?? []), first);
    if (another) await this.docker(...create, "--append", ...another, second);
  }
}

/** Path of a program on this machine. */
export function programOf(name: string): string {
  return execaSync("which", [name]).stdout;
}

/** A server's images with their ids. */
export function images(server: string): Promise<string> {
  return onServer(server, "docker image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort");
}

interface Manifest {
  readonly mediaType: string;
  readonly manifests?: readonly { readonly platform?: { readonly os: string; readonly architecture: string } }[];
}

/** A manifest from the lab's registry; undefined if it has none. */
export function manifestOf(repository: string, tag: string): Promise<Manifest | undefined> {
  const kinds = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"];
  const dockerKinds = ["manifest.list", "manifest"].map(
    (kind) => `application/vnd.docker.distribution.${kind}.v2+json`,
  );
  const options = {
    auth: `${lab["LAB_REGISTRY_USER"]}:${lab["LAB_REGISTRY_PASSWORD"]}`,
    headers: { accept: [...kinds, ...dockerKinds].join(", ") },
    agent: false as const,
  };
  const url = `http://${lab["LAB_REGISTRY"]}/v2/${repository}/manifests/${tag}`;
  return new Promise((done, reject) => {
    const outgoing = request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => done(response.statusCode === 200 ? (JSON.parse(text) as Manifest) : undefined));
    });
    outgoing.on("error", reject).end();
  });
}

/** The platforms, sorted: `linux/amd64`. Entries without one are buildx's attestations. */
export function platformsOf(manifest: Manifest | undefined): string[] {
  return (manifest?.manifests ?? [])
    .flatMap(({ platform }) =>
      platform && platform.os !== "unknown" ? [`${platform.os}/${platform.architecture}`] : [],
    )
    .toSorted();
}
