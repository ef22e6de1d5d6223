import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One folder for all temporary files of a test run. The end of the run removes it. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-tests-"));
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
