import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onServer, sweep } from "./project.ts";
import { type Row, runRow } from "./row.ts";
import { ROWS, USER_ROWS } from "./rows.ts";

const SERVERS = ["a", "b"] as const;
const REQUESTS = 5000;
/** Request rate of each of the two rows that run concurrently. */
const PER_SECOND = Number(process.env["LOAD_RATE"] ?? 125);

/** One row at a time on each server: the promise of the last row. */
const lanes = new Map<string, Promise<unknown>>();
function inLane<T>(server: string, work: () => Promise<T>): Promise<T> {
  const mine = (lanes.get(server) ?? Promise.resolve()).then(work, work);
  lanes.set(server, mine);
  return mine;
}

describe("no request is lost while versions change", () => {
  beforeAll(async () => {
    await sweep(...SERVERS);
    await onServer("b", "usermod -aG docker sudoer");
  });
  afterAll(async () => {
    await onServer("b", "gpasswd -d sudoer docker");
    await sweep(...SERVERS);
  });

  test.concurrent.each([...ROWS, ...USER_ROWS])("$what, server $server", { timeout: 1_500_000 }, async (row: Row) => {
    const changes = ["redeploy", "redeploy", "rollback"] as const;
    const load = { requests: REQUESTS, perSecond: PER_SECOND, changes };
    const result = await inLane(row.server, () => runRow(row, load));
    console.log(result.line);
    expect(result.problems).toEqual([]);
    expect(result.versions).toBe(3);
    expect(result.requests).toBeGreaterThanOrEqual(REQUESTS);
  });
});
