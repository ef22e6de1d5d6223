import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { mrsk, project } from "../support/cli.ts";

const folder = project({});

test("docs lists the guides and the sections of deploy.yml", async () => {
  const { stdout } = await mrsk(folder, "docs");
  expect(stdout).toContain("\n  canary           Try a version on some of the requests or hosts first\n");
  expect(stdout).toContain("\n  accessories ");
  for (const file of readdirSync(new URL("../../src/docs/", import.meta.url))) {
    expect(stdout).toContain(`\n  ${file.replace(/\.md$/, "")} `);
  }
});

test("docs NAME prints the guide whose name begins with NAME, and the keys of the section of that name", async () => {
  expect((await mrsk(folder, "docs", "troubleshooting")).stdout).toMatch(/^# Troubleshooting\n/);
  expect((await mrsk(folder, "docs", "many_h")).stdout).toMatch(/^# Many hosts\n/);
  const both = (await mrsk(folder, "docs", "traefik")).stdout;
  expect(both).toMatch(/^# Traefik\n/);
  expect(both).toContain("  traefik.host_port  (");
  expect((await mrsk(folder, "docs", "drain_timeout")).stdout).toMatch(/^ {2}drain_timeout {2}\(seconds/);
});

test("docs secrets prints the guide and the keys that name secrets", async () => {
  const { stdout } = await mrsk(folder, "docs", "secrets");
  expect(stdout).toMatch(/^# Secrets\n/);
  expect(stdout).toContain("\n  secrets_path  (path; default: .kamal/secrets; as Kamal 2.9)\n");
});

test("docs kamal2 is the guide for projects of Kamal 2", async () => {
  expect((await mrsk(folder, "docs", "kamal2")).stdout).toMatch(/^# Coming from Kamal 2\n/);
});

test("docs NAME is an error if no guide, section or key has that name", async () => {
  const result = await mrsk(folder, "docs", "nosuch");
  expect(result).toMatchObject({ status: 2, stderr: expect.stringContaining("'nosuch'") as string });
});
