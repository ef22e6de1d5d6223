import { Load, type LoadResult } from "./load.ts";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";
import { Streams } from "./streams.ts";

/** The properties of one service, and its server. */
export interface Row {
  readonly what: string;
  readonly server: "a" | "b";
  readonly env?: Readonly<Record<string, string>>;
  /** Lines at the end of the Dockerfile. */
  readonly docker?: readonly string[];
  /** More keys of deploy.yml in the given round. */
  readonly more?: (round: number, project: Project) => Readonly<Record<string, unknown>>;
  /** Whether a WebSocket and an event stream stay open. */
  readonly streams?: boolean;
  /** Whether another service on that server gets requests and is redeployed meanwhile. */
  readonly neighbour?: boolean;
  /** Texts that the deploys must print. */
  readonly expects?: readonly string[];
}

export interface RowResult {
  readonly line: string;
  readonly lost: number;
  readonly worstMilliseconds: number;
  readonly streams: number;
  readonly problems: readonly string[];
  readonly requests: number;
  readonly versions: number;
}

const WATCH_SECONDS = 2;
const DRAIN_SECONDS = 6;

/** The service of a row: its versions, and the output of `mrsk`. */
class Service {
  readonly project: Project;
  readonly output: string[] = [];
  private readonly row: Row;
  private readonly route: string | undefined;

  /** @param route the host name of its router; undefined: it gets all requests */
  constructor(row: Row, name: string, route?: string) {
    this.row = row;
    this.route = route;
    this.project = new Project(name);
    this.project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    const docker = ["FROM node:20-bookworm-slim", "WORKDIR /app", "COPY . .", "EXPOSE 3000", ...(row.docker ?? [])];
    this.project.write("Dockerfile", [...docker, 'CMD ["node", "server.js"]', ""].join("\n"));
  }

  /** Commits a new version. @returns its name */
  async prepare(round: number): Promise<string> {
    const { project, row, route } = this;
    const labels = route ? { [`traefik.http.routers.${project.service}-web.rule`]: `Host(\`${route}\`)` } : undefined;
    project.configure({
      servers: [lab[`LAB_${row.server.toUpperCase()}`]],
      env: { ...row.env, ROUND: String(round) },
      stop_wait_time: 3,
      drain_timeout: DRAIN_SECONDS,
      boot: { watch: WATCH_SECONDS },
      // Only this level logs the reason of a 502.
      traefik: { args: { "log.level": "DEBUG" } },
      ...(labels ? { labels } : {}),
      ...row.more?.(round, project),
    });
    project.write("round.txt", String(round));
    return project.commit(`Round ${round}`);
  }

  /** Runs `mrsk`, and calls `live` as soon as a version is live. */
  async mrsk(words: readonly string[], live: (version: string) => void = () => {}): Promise<void> {
    const running = this.project.start(...words);
    running.stderr.on("data", (text: Buffer) => {
      const version = /(?:^|\s)\S+?-web-(\S+) is live/.exec(text.toString())?.[1];
      if (version) live(version);
    });
    const { exitCode, stdout, stderr } = await running;
    this.output.push(stderr);
    succeeded({ status: exitCode ?? 128, stdout, stderr });
  }
}

/**
 * Sends at least that many requests to the row's service while its version changes. A rollback is always to the first
 * version.
 */
export async function runRow(
  row: Row,
  {
    requests,
    perSecond,
    changes,
  }: { requests: number; perSecond: number; changes: readonly ("redeploy" | "rollback")[] },
): Promise<RowResult> {
  const base = `http://${lab[`LAB_${row.server.toUpperCase()}`]}`;
  await sweep(row.server);
  const service = new Service(row, `cut-${row.what.replaceAll(/[^a-z0-9]+/g, "-")}`.slice(0, 30).replace(/-$/, ""));
  const first = await service.prepare(0);
  await service.mrsk(["deploy"]);
  const neighbour = row.neighbour ? await startNeighbour(row) : undefined;
  const load = new Load(base, { perSecond });
  const streams = row.streams ? new Streams(base, { drainSeconds: DRAIN_SECONDS, version: first }) : undefined;
  const live = (version: string) => streams?.changed(version);
  for (const [index, change] of changes.entries()) {
    if (change === "redeploy") await service.prepare(index + 1);
    await Promise.all([
      service.mrsk(change === "redeploy" ? ["redeploy"] : ["rollback", first], live),
      index === 1 ? neighbour?.service.mrsk(["redeploy"]) : undefined,
    ]);
  }
  await load.reached(requests);
  const failures = "docker logs traefik 2>&1 | grep -E '\\b50[0-9] ' | tail -n 10";
  const results = [await load.stop(), ...(neighbour ? [await neighbour.load.stop()] : [])];
  const why = results.some(({ lost }) => lost.length > 0) ? await onServer(row.server, failures) : "";
  return resultOf(row, service, results, streams?.stop(), why);
}

/** Another service on the same server, with a separate route and load. */
async function startNeighbour(row: Row): Promise<{ service: Service; load: Load }> {
  const service = new Service({ what: "neighbour", server: row.server, env: row.env ?? {} }, "neighbour", "next.door");
  await service.prepare(0);
  await service.mrsk(["deploy"]);
  await service.prepare(1);
  const load = new Load(`http://${lab[`LAB_${row.server.toUpperCase()}`]}`, { perSecond: 30, host: "next.door" });
  return { service, load };
}

function resultOf(
  row: Row,
  service: Service,
  results: readonly LoadResult[],
  streams: ReturnType<Streams["stop"]> | undefined,
  why: string,
): RowResult {
  const lost = results.flatMap((result) => result.lost);
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const worst = Math.max(...results.map((result) => result.worstMilliseconds));
  const output = service.output.join("\n");
  const missing = (row.expects ?? []).filter((text) => !output.includes(text)).map((text) => `not printed: ${text}`);
  const open = streams ? `, ${streams.problems.length} of ${streams.count} streams broken` : "";
  return {
    line: `${row.what}, ${row.server}: ${lost.length} of ${requests} lost, worst delay ${worst} ms${open}`,
    problems: [...lost, ...(streams?.problems ?? []), ...missing, ...(why ? [why] : [])],
    requests,
    lost: lost.length,
    worstMilliseconds: worst,
    streams: streams?.count ?? 0,
    versions: results[0]!.versions.size,
  };
}
