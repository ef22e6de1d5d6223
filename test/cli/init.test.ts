import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { mrsk, project } from "../support/cli.ts";
import { configOf, problemsOf } from "../config/from-yaml.ts";
import { transcriptOf, type Written } from "../support/transcript.ts";

const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

describe("the files of a new project", () => {
  test("are read as those of Kamal 2, without a note", async () => {
    const folder = project({});
    await mrsk(folder, "init");
    const shown = await mrsk(folder, "config", "--json", "--version", "1");
    expect(shown).toMatchObject({ status: 0, stderr: "" });
    const config = JSON.parse(shown.stdout) as Record<string, unknown>;
    expect(config).toMatchObject({ era: "Kamal 2 (builder.arch)", network: "kamal" });
  });

  test("name a port and a health check in proxy, and secrets whose values are in the secrets file", async () => {
    const folder = project({});
    await mrsk(folder, "init");
    const deploy = parse(read(folder, "config/deploy.yml")) as Record<string, unknown>;
    expect(deploy["proxy"]).toEqual({ app_port: 3000, healthcheck: { path: "/up" } });
    expect(deploy["builder"]).toEqual({ arch: "amd64" });
    expect(await mrsk(folder, "secrets", "print")).toEqual({
      status: 0,
      stderr: "",
      stdout: "MRSK_REGISTRY_PASSWORD=change-this\nDATABASE_URL=postgres://user:change-this@192.168.0.2/my_app\n",
    });
  });

  test("deploy without a note", async () => {
    const folder = project({});
    await mrsk(folder, "init");
    const text = read(folder, "config/deploy.yml");
    expect(await configOf(text)).toMatchObject({ notes: [], unsupported: [] });
    const seen = await transcriptOf(parse(text) as Written);
    expect(seen).toContain("docker run --detach --restart no --name my-app-web-2");
    expect(seen).toContain("loadbalancer.server.port=3000 ");
    expect(seen).not.toContain("ERROR");
  });

  test("load with every line that is a comment in them", async () => {
    const folder = project({});
    await mrsk(folder, "init");
    // A key, an item of a list, or a key below one; a sentence has no colon at the end of its first word.
    const uncommented = read(folder, "config/deploy.yml")
      .split("\n")
      .map((line) => line.replace(/^(\s*)# (\s*(?:[a-z_A-Z]+:(?: .*)?|- .*))$/, "$1$2"))
      .join("\n")
      .replace(/^ {2}server: .*$/m, "  server: ghcr.io");
    expect(await problemsOf(uncommented)).toEqual([]);
    expect(Object.keys(parse(uncommented) as object)).toEqual([
      "service",
      "image",
      "servers",
      "proxy",
      "registry",
      "builder",
      "env",
      "ssh",
      "accessories",
      "aliases",
      "boot",
    ]);
  });
});

describe("the README", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

  test("names the files that init writes, as its help does", async () => {
    const folder = project({});
    const { stdout } = await mrsk(folder, "init");
    expect(stdout.split("\n").filter((line) => line.startsWith("Created"))).toEqual([
      "Created configuration file in config/deploy.yml",
      "Created .kamal/secrets file",
      "Created sample hooks in .kamal/hooks",
    ]);
    expect(readme).toMatch(/^mrsk init +# writes config\/deploy\.yml, \.kamal\/secrets and sample hooks$/m);
    expect((await mrsk(folder, "--help")).stdout).toMatch(
      /mrsk init +write config\/deploy\.yml, \.kamal\/secrets and sample hooks/,
    );
  });

  test("shows a configuration with the keys and the settings that init writes", async () => {
    const folder = project({});
    await mrsk(folder, "init");
    const written = parse(read(folder, "config/deploy.yml")) as Record<string, Record<string, unknown>>;
    const shown = parse(/^```yaml\n(.*?)^```/ms.exec(readme)![1]!) as Record<string, Record<string, unknown>>;
    expect(Object.keys(shown)).toEqual(["service", "image", "servers", "proxy", "registry", "builder", "env"]);
    expect(Object.keys(written)).toEqual(["service", "image", "servers", "proxy", "registry", "builder"]);
    expect(shown["proxy"]).toEqual({ host: "app.example.com", ...written["proxy"] });
    expect(shown["builder"]).toEqual(written["builder"]);
    expect(shown["registry"]!["password"]).toEqual(written["registry"]!["password"]);
    expect(shown["env"]!["secret"]).toEqual(["DATABASE_URL"]);
  });
});

describe("in a project that has a configuration, init writes no secrets", () => {
  test.each([
    [
      { "config/deploy.yml": "service: x\n", ".env": "A=1" },
      [".dockerignore", ".env", ".gitignore", ".mrsk", "config"],
    ],
    [
      { "config/deploy.yml": "service: x\n", ".kamal/secrets": "" },
      [".dockerignore", ".gitignore", ".kamal", "config"],
    ],
  ])("%j", async (files, expected) => {
    const folder = project(files);
    await mrsk(folder, "init");
    expect(readdirSync(folder).toSorted()).toEqual(expected);
    expect(readdirSync(join(folder, expected.includes(".mrsk") ? ".mrsk/hooks" : ".kamal/hooks"))).toHaveLength(9);
  });
});

test("hooks that a project has are not joined by samples in the other folder", async () => {
  const folder = project({ ".mrsk/hooks/pre-build": "#!/bin/sh\n" });
  expect((await mrsk(folder, "init")).stdout).not.toContain("sample hooks");
  expect(readdirSync(join(folder, ".kamal"))).toEqual(["secrets"]);
});
