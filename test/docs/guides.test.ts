import { expect, test } from "vitest";
import { guides } from "../../src/cli/guides.ts";
import { mrsk, project } from "../support/cli.ts";

const folder = project({});

test("docs lists the guides and the sections of deploy.yml", async () => {
  const { stdout } = await mrsk(folder, "docs");
  expect(stdout).toContain("\n  canary           Try a version on some of the requests or hosts first\n");
  expect(stdout).toContain("\n  accessories ");
  expect(guides().map(({ name }) => name)).toContain("troubleshooting");
});

test("docs NAME prints the guide of that name or beginning, and the keys of the section of that name", async () => {
  expect((await mrsk(folder, "docs", "troubleshooting")).stdout).toMatch(/^# Troubleshooting\n/);
  expect((await mrsk(folder, "docs", "many_h")).stdout).toMatch(/^# Many hosts\n/);
  const both = (await mrsk(folder, "docs", "traefik")).stdout;
  expect(both).toMatch(/^# Traefik\n/);
  expect(both).toContain("  traefik.host_port  (");
  expect((await mrsk(folder, "docs", "drain_timeout")).stdout).toMatch(/^ {2}drain_timeout {2}\(seconds/);
});

test("docs of an unknown name is an error", async () => {
  const said = await mrsk(folder, "docs", "nosuch");
  expect(said).toMatchObject({ status: 2, stderr: expect.stringContaining("'nosuch'") as string });
});
