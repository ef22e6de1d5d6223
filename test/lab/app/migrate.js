import { query } from "./pg.js";

if (process.env.MIGRATE_FAIL === "1") {
  console.error("migration failed on purpose");
  process.exit(3);
}
await query("CREATE TABLE IF NOT EXISTS records (key text PRIMARY KEY, value text NOT NULL)");
console.log("migrated");
