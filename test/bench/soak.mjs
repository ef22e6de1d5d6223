// Changes the version of every kind of app under load, many times, on the servers of the lab (`test/lab/lab up`), and
// prints a table. `npm run soak` does 20 redeploys and 20 rollbacks of each, `npm run soak -- 3` three.
import { spawnSync } from "node:child_process";

const [times = "20"] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(times)) {
  console.error("usage: npm run soak [-- TIMES]");
  process.exit(2);
}
const { status } = spawnSync("npx", ["vitest", "run", "--config", "test/bench/soak.config.ts"], {
  env: { ...process.env, SOAK_TIMES: times },
  stdio: "inherit",
});
process.exit(status ?? 1);
