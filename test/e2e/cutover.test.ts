import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "./load.ts";
import { lab, Project, succeeded, sweep } from "./project.ts";

const REQUESTS = 5000;

/** One row: what is different about the app, and on which server. */
const ROWS: readonly {
  readonly what: string;
  readonly server: string;
  readonly env: Record<string, string>;
  readonly labels?: boolean;
  readonly more?: Record<string, unknown>;
}[] = [
  { what: "ends politely, old engine", server: "a", env: { TERM_MANNER: "polite" } },
  { what: "exits at once, new engine", server: "b", env: { TERM_MANNER: "rude" } },
  { what: "ignores SIGTERM, old engine", server: "c", env: { TERM_MANNER: "ignore" } },
  { what: "labels change, new engine", server: "b", env: { TERM_MANNER: "rude" }, labels: true },
  { what: "listens 2 s late, old engine", server: "a", env: { START_DELAY_MS: "2000", TERM_MANNER: "rude" } },
];

describe("no request is lost while versions change", () => {
  beforeAll(() => sweep("a", "b", "c"));
  afterAll(() => sweep("a", "b", "c"));

  test.each(ROWS)("$what", async ({ what, server, env, labels, more }) => {
    const service = `cut-${what.replaceAll(/[^a-z0-9]+/g, "-")}`.slice(0, 40).replace(/-$/, "");
    await sweep(server);
    const project = new Project(service);
    const host = lab[`LAB_${server.toUpperCase()}`]!;
    const configure = (round: number) =>
      project.configure({
        servers: [host],
        env: { ...env, ROUND: String(round) },
        stop_wait_time: 3,
        boot: { watch: 2 },
        ...(labels
          ? {
              labels: {
                [`traefik.http.routers.${service}-web.rule`]: `PathPrefix(\`/\`)${" && PathPrefix(`/`)".repeat(round % 3)}`,
              },
            }
          : {}),
        ...more,
      });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    configure(0);
    const first = await project.commit("First");
    succeeded(await project.mrsk("deploy"));
    const load = new Load(`http://${host}`);
    for (const round of [1, 2]) {
      configure(round);
      project.write("round.txt", String(round));
      await project.commit(`Round ${round}`);
      succeeded(await project.mrsk("redeploy"));
    }
    succeeded(await project.mrsk("rollback", first));
    await load.reached(REQUESTS);
    const { requests, lost, worstMilliseconds, versions } = await load.stop();
    console.log(
      `${what}: ${lost.length} of ${requests} lost, worst delay ${worstMilliseconds} ms, ${versions.size} versions answered`,
    );
    expect(lost).toEqual([]);
    expect(versions.size).toBe(3);
    expect(requests).toBeGreaterThanOrEqual(REQUESTS);
  });
});
