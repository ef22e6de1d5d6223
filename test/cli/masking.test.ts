import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mrsk, project } from "../support/cli.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

const DB_PASSWORD = "db<password>&of-the-accessory";
const OTHER_PASSWORD = "password-of-the-other-accessory";
const JOB_TOKEN = "token-of-the-jobs-role";
const ENV = `DB_PASSWORD='${DB_PASSWORD}'
OTHER_PASSWORD=${OTHER_PASSWORD}
JOB_TOKEN=${JOB_TOKEN}
BUILD_TOKEN=token-of-the-build
REGISTRY=password-of-the-registry
UNNAMED=8f14e45fceea167a
RAILS_ENV=production
APP_HOST=app.example.com
DEAR=$(echo run >>"$MARKER"; echo dear-value-by-command)
`;
const SECRETS = [
  DB_PASSWORD,
  DB_PASSWORD.replace("<", String.raw`\u003c`).replace(">", String.raw`\u003e`).replace("&", String.raw`\u0026`),
  encodeURIComponent(DB_PASSWORD),
  Buffer.from(`db:${OTHER_PASSWORD}`).toString("base64"),
  OTHER_PASSWORD,
  JOB_TOKEN,
  "token-of-the-build",
  "password-of-the-registry",
  "8f14e45fceea167a",
];

let sshd: Sshd;
let bin: string;

/** The server's docker prints secrets at every call, and fails to remove anything. */
beforeAll(async () => {
  bin = mkdtempSync(join(tmpdir(), "mrsk-talkative-"));
  writeFileSync(join(bin, "secrets"), `${SECRETS.join("\n")}\n`);
  const docker = `#!/bin/sh
cat ${bin}/secrets >&2
case "$*" in *Status*) echo running ;; *) cat ${bin}/secrets ;; esac
case "$*" in "container rm"*) exit 1 ;; esac
`;
  writeFileSync(join(bin, "docker"), docker);
  chmodSync(join(bin, "docker"), 0o755);
  sshd = await startSshd([`SetEnv PATH=${bin}:${process.env["PATH"]}`]);
});
afterAll(() => {
  sshd.stop();
  rmSync(bin, { recursive: true, force: true });
});

function app(files: Readonly<Record<string, string>> = {}): string {
  return project({
    ".env": ENV,
    "config/deploy.yml": `service: masked
image: dhh/app
servers:
  web: [127.0.0.1]
  jobs: { hosts: [127.0.0.1], env: { secret: [JOB_TOKEN] } }
registry: { username: u, password: [REGISTRY] }
builder: { secrets: [BUILD_TOKEN] }
accessories:
  db: { image: db, host: 127.0.0.1, env: { secret: [DB_PASSWORD, DEAR] } }
  other: { image: other, host: 127.0.0.1, env: { secret: [OTHER_PASSWORD] } }
ssh: { user: ${userInfo().username}, port: ${sshd.port}, keys: ["${sshd.key}"], keys_only: true, config: ["client"] }
`,
    client: `Host *\n  UserKnownHostsFile ${sshd.knownHosts}\n  StrictHostKeyChecking accept-new\n`,
    ...files,
  });
}

function leaks(text: string): string[] {
  return SECRETS.filter((secret) => text.includes(secret.slice(4, -4)));
}

test("a secret that the run has not read is masked in the output of a server's docker, with -v and in errors", async () => {
  for (const words of [
    ["-v", "accessory", "start", "db"],
    ["accessory", "remove", "db", "-y"],
    ["-v", "accessory", "remove", "db", "-y"],
    ["-v", "accessory", "boot", "other"],
  ]) {
    const { stdout, stderr } = await mrsk(app(), ...words, "--version", "1");
    expect(leaks(stdout + stderr)).toEqual([]);
    expect(stderr).toContain("[REDACTED]");
  }
});

test("a failing container rm shows its error, without the accessory's secret", async () => {
  const result = await mrsk(app(), "accessory", "remove", "db", "-y", "--version", "1");
  expect(result.status).not.toBe(0);
  expect(result.stderr).toContain("[REDACTED]");
  expect(result.stderr).not.toContain("of-the-accessory");
});

test("of the variables of .env that a hook prints, all but plain words are masked", async () => {
  const folder = app({ ".mrsk/hooks/pre-connect": "#!/bin/sh\nenv | sort\nenv >&2\nexit 3\n" });
  const result = await mrsk(folder, "deploy", "-P", "--version", "1");
  expect(result.status).toBe(7);
  const shown = result.stdout + result.stderr;
  expect(leaks(shown)).toEqual([]);
  expect(shown).toContain("UNNAMED=[REDACTED]");
  expect(shown).toContain("RAILS_ENV=production");
  expect(shown).toContain("APP_HOST=app.example.com");
});

test("no command of .env runs only for masking", async () => {
  const folder = app();
  process.env["MARKER"] = join(folder, "ran");
  await mrsk(folder, "accessory", "start", "db");
  delete process.env["MARKER"];
  expect(existsSync(join(folder, "ran"))).toBe(false);
});
