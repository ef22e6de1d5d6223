import { afterAll, describe, expect, test } from "vitest";
import { sweep } from "./project.ts";
import { type RowResult, runRow } from "./row.ts";
import { ROWS } from "./rows.ts";

const TIMES = Number(process.env["SOAK_TIMES"]);
const changes = Array.from({ length: TIMES }, () => ["redeploy", "rollback"] as const).flat();

describe(`${TIMES} redeploys and ${TIMES} rollbacks of each kind of app under load`, () => {
  const results = new Map<string, RowResult>();

  afterAll(() => {
    const table = [...results].map(([row, { requests, lost, worstMilliseconds, streams }]) => [
      row,
      { changes: changes.length, requests, lost, "worst delay (ms)": worstMilliseconds, streams },
    ]);
    console.table(Object.fromEntries(table));
  });

  test.each(ROWS)("$what, server $server", async (row) => {
    const result = await runRow(row, { requests: 0, perSecond: 100, changes });
    results.set(row.what, result);
    console.log(result.line);
    await sweep(row.server);
    expect(result.problems).toEqual([]);
  });
});
