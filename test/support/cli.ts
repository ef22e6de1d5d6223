import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { vi } from "vitest";
import { main } from "../../src/cli/main.ts";

export interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project folder with these files. The hooks are executable. */
export function project(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-cli-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: path.includes("hooks/") ? 0o755 : 0o644 });
  }
  return folder;
}

/** Runs a command line in the folder, in this process, and captures its output. */
export async function mrsk(folder: string, ...argv: readonly string[]): Promise<Output> {
  const before = process.cwd();
  const output = { stdout: "", stderr: "" };
  const catching = (name: "stdout" | "stderr") =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      output[name] += String(text);
      return true;
    });
  const spies = [catching("stdout"), catching("stderr")];
  process.chdir(folder);
  try {
    const status = await main(argv);
    return { status, ...output };
  } finally {
    process.chdir(before);
    for (const spy of spies) spy.mockRestore();
  }
}

/** A deploy.yml whose only server refuses every connection. */
export const UNREACHABLE = `service: app
image: dhh/app
servers: [127.0.0.1]
registry: { username: u, password: p }
ssh: { port: 1, config: false }
`;
