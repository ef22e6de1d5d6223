import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { address } from "./fleet-lab.ts";
import { Load } from "./load.ts";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";

/** Services and destinations on one server whose names begin alike, each with its own host name. */
describe("services and destinations on one server whose names begin alike", () => {
  const site = new Project("site");
  const two = new Project("site-two");
  const host = address("b");
  const rule = (router: string, name: string) => ({
    [`traefik.http.routers.${router}.rule`]: `Host(\`${name}.test\`)`,
  });
  const boot = { watch: 1 };

  const seen = () =>
    onServer(
      "b",
      `docker ps --format '{{.Names}} {{.ID}}' | grep -v traefik | sort; cd /var/lib/mrsk/traefik; sha256sum *.yml`,
    );
  const answer = (name: string) => onServer("b", `curl -s -H 'Host: ${name}.test' http://127.0.0.1/version`);

  /** The state of the others: all lines except those of this one. */
  const others = async (mine: RegExp) => (await seen()).split("\n").filter((line) => !mine.test(line));

  const ALL = [
    { project: site, words: [] as string[], name: "site", prefix: "site-web-v" },
    { project: site, words: ["-d", "staging"], name: "staging", prefix: "site-web-staging" },
    { project: two, words: [] as string[], name: "two", prefix: "site-two-web" },
  ];

  beforeAll(async () => {
    await sweep("b");
    // Maps of labels are merged, so both destinations would claim site.test; a list replaces the map.
    site.configure({ boot, servers: { web: { hosts: [host], labels: rule("site-web", "site") } } });
    const staging = { servers: [host], labels: rule("site-web-staging", "staging") };
    site.write("config/deploy.staging.yml", stringify(staging));
    two.configure({ boot, servers: [host], labels: rule("site-two-web", "two") });
    const password = `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`;
    for (const project of [site, two]) {
      project.write(".env", password);
      project.write(".env.staging", password);
      project.write(".gitignore", ".env*\n.docker-config\nssh_config\n");
      await project.commit("First");
    }
    for (const { project, words } of ALL) succeeded(await project.mrsk("deploy", ...words, "--version", "v1-rc1"));
  });
  afterAll(() => sweep("b"));

  test("each answers under its host name", async () => {
    for (const { name } of ALL) expect(await answer(name)).toBe("v1-rc1");
  });

  test.each(ALL)(
    "$name changes the version and rolls back, without a change of the others",
    async ({ project, words, name, prefix }) => {
      const mine = new RegExp(`${prefix}|  ${prefix.replace(/-v$/, "")}\\.yml$`);
      const before = await others(mine);
      const load = new Load(`http://${host}`, { perSecond: 10, host: name === "two" ? "site.test" : "two.test" });
      succeeded(await project.mrsk("redeploy", ...words, "--version", "v1-rc2"));
      expect(await answer(name)).toBe("v1-rc2");
      succeeded(await project.mrsk("rollback", ...words));
      expect(await answer(name)).toBe("v1-rc1");
      succeeded(await project.mrsk("app", "stop", ...words));
      succeeded(await project.mrsk("app", "start", ...words));
      expect(await answer(name)).toBe("v1-rc1");
      expect(await others(mine)).toEqual(before);
      expect((await load.stop()).lost).toEqual([]);
    },
  );
});
