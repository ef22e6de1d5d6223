import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BuildProject, images } from "./builds.ts";
import { lab, onServer, succeeded, sweep } from "./project.ts";

const HOST = lab["LAB_A"]!;

describe("the registry", () => {
  let project: BuildProject;

  const configure = (registry: Record<string, unknown>) =>
    project.configure({
      servers: [HOST],
      registry: { server: lab["LAB_REGISTRY"], username: "mrsk", password: ["MRSK_REGISTRY_PASSWORD"], ...registry },
    });
  const secrets = (password: string) =>
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${password}\nREGISTRY_USER=${lab["LAB_REGISTRY_USER"]}\n`);
  const usual = () => {
    configure({});
    secrets(lab["LAB_REGISTRY_PASSWORD"]!);
  };
  const logins = async () => ({
    here: readFileSync(join(project.folder, ".docker-config/config.json"), "utf8").includes("registry:5000"),
    there: (await onServer("a", "cat .docker/config.json 2>/dev/null || true")).includes("registry:5000"),
  });

  beforeAll(async () => {
    await sweep("a");
    project = await BuildProject.make("registry");
    project.write("Dockerfile", "FROM scratch\nCOPY server.js /\n");
    usual();
    await project.commit("First version");
    succeeded(await project.mrsk("build", "deliver"));
  });
  beforeEach(usual);
  afterAll(() => sweep("a"));

  test("a registry that does not answer changes nothing on the host", async () => {
    const before = await images("a");
    configure({ server: "172.30.77.2:5999" });
    const login = await project.mrsk("deploy", "-P");
    expect(login.status).toBe(5);
    expect(login.stderr).toContain("localhost: the registry 172.30.77.2:5999 does not answer");
    const refused = await project.mrsk("redeploy", "-P");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain(`${HOST}: the registry 172.30.77.2:5999 does not answer`);
    expect(await images("a")).toBe(before);
  });

  test("registry login and logout act where requested, and the stored login is used", async () => {
    succeeded(await project.mrsk("registry", "logout"));
    expect(await logins()).toEqual({ here: false, there: false });
    configure({ username: ["REGISTRY_USER"] });
    succeeded(await project.mrsk("registry", "login", "--skip-remote"));
    expect(await logins()).toEqual({ here: true, there: false });
    succeeded(await project.mrsk("registry", "login", "-L"));
    expect(await logins()).toEqual({ here: true, there: true });
    secrets("expired");
    succeeded(await project.mrsk("build", "deliver"));
    succeeded(await project.mrsk("registry", "logout", "--skip-local"));
    expect(await logins()).toEqual({ here: true, there: false });
    const before = await images("a");
    const expired = await project.mrsk("build", "pull");
    expect(expired.status).toBe(5);
    expect(expired.stderr).toContain("refuses the login");
    expect(await images("a")).toBe(before);
    succeeded(await project.mrsk("registry", "logout", "-R"));
    expect(await logins()).toEqual({ here: false, there: false });
  });
});
