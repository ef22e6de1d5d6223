import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One folder for all that a run's tests put down, gone when it ends. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-tests-"));
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
