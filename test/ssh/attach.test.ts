import { createHash } from "node:crypto";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Attached } from "../../src/script/attached.ts";
import { sh, withEnvironment } from "../../src/script/command.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { RemoteHost } from "../../src/hosts/remote-host.ts";
import type { Connections } from "../../src/ssh/connections.ts";
import { noSecrets } from "../support/no-secrets.ts";
import { connections, relay, type Sshd, sshSettings, startSshd } from "../support/sshd.ts";

let sshd: Sshd;
let pool: Connections;
const never = new AbortController().signal;

beforeAll(async () => {
  sshd = await startSshd();
  pool = connections(sshSettings(sshd));
});
afterAll(async () => {
  await pool.close();
  sshd.stop();
});

/** A terminal made of pipes, which records the calls on it. */
function terminal() {
  const output = new PassThrough();
  let seen = "";
  output.on("data", (bytes: Buffer) => (seen += bytes.toString()));
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    isRaw: false,
    setRawMode(on: boolean) {
      raw.push(on);
      input.isRaw = on;
    },
  });
  const size = Object.assign(output, { rows: 33, columns: 111, isTTY: true });
  return {
    user: { input: input as never, output: output as never, type: "vt100" },
    input,
    raw,
    seen: () => seen,
    resize(rows: number, columns: number) {
      Object.assign(size, { rows, columns });
      output.emit("resize");
    },
  };
}

/** Runs a command with pipes. @returns its status and output */
async function piped(command: Attached, input: Readable = Readable.from([]), signal = never, from: Connections = pool) {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const host = new RemoteHost("127.0.0.1", from, () => {}, terminal().user, noSecrets);
  const onOutput = (stream: "stdout" | "stderr", bytes: Buffer) => void (stream === "stdout" ? out : err).push(bytes);
  const status = await host.attach(command, { input, onOutput }, signal);
  return { status, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

const AWKWARD: readonly (readonly [string, string])[] = [
  ["quotes and shell characters", `a'b"c$d\`e\\f!g#h %s *`],
  ["lines", "first\nsecond\n\nlast\n\n"],
  ["unicode", "é ünï ✓ 😀 ā܁"],
  ["control characters", "\x01\x03\x04\x11\x13\x1a\x1b\x1c\x7f\t\r"],
  ["32 KB", "x".repeat(32_768)],
  ["spaces around", "  a  "],
  ["nothing", ""],
];

const PRINT = ["node", "-e", "process.stdout.write(Buffer.from(process.env.NAME).toString('base64'))"];

describe("a terminal", () => {
  const inTerminal = (body: Attached["body"], at = terminal(), from: Connections = pool, signal = never) => ({
    ...at,
    status: new RemoteHost("127.0.0.1", from, () => {}, at.user, noSecrets).attach({ body }, "terminal", signal),
  });

  test("returns the command's exit status, passes its size, and is restored afterwards", async () => {
    const { status, seen, raw } = inTerminal(sh`stty size; exit 7`);
    expect(await status).toBe(7);
    expect(seen()).toBe("33 111\r\n");
    expect(raw).toEqual([true, false]);
  });

  test("passes a new size and every key: Ctrl-C interrupts the remote command", async () => {
    const at = terminal();
    const { status, seen } = inTerminal(sh`trap 'stty size' WINCH; echo ready; cat; echo "cat $?"`, at);
    await until(() => seen().includes("ready"));
    at.resize(44, 99);
    at.input.write("typed\r");
    await until(() => seen().includes("typed\r\ntyped\r\n"));
    at.input.write("\x03");
    expect(await status).toBe(130);
    expect(seen()).toContain("^C");
  });

  test.each(AWKWARD)("a secret arrives unchanged and is not echoed: %s", async (_what, value) => {
    const { status, seen } = inTerminal(withEnvironment([["NAME", new Secret("NAME", value)]], PRINT));
    expect(await status).toBe(0);
    expect(seen()).toBe(Buffer.from(value).toString("base64"));
  });

  test("is restored when the connection is lost, and the cleanup runs on the server", async () => {
    const between = await relay(sshd.port);
    const own = connections(sshSettings(sshd, { port: between.port }));
    const mark = join(sshd.folder, "terminal-lost");
    const at = terminal();
    const host = new RemoteHost("127.0.0.1", own, () => {}, at.user, noSecrets);
    const status = host.attach({ body: sh`echo ready; sleep 4713`, cleanup: sh`echo yes >${mark}` }, "terminal", never);
    const failed = failureOf(status);
    await until(() => at.seen().includes("ready"));
    between.cut();
    expect(await failed).toMatchObject({ message: "127.0.0.1: the connection was lost" });
    expect(at.raw).toEqual([true, false]);
    expect(at.seen()).toContain("\x1b[?1049l");
    await until(() => existsSync(mark));
    await own.close();
    between.close();
  });

  test("an abort ends it", async () => {
    const controller = new AbortController();
    const { status, seen, raw } = inTerminal(sh`echo ready; sleep 4714`, terminal(), pool, controller.signal);
    const failed = failureOf(status);
    await until(() => seen().includes("ready"));
    controller.abort();
    expect(await failed).toMatchObject({ name: "InterruptedError" });
    expect(raw).toEqual([true, false]);
  });
});

describe("pipes", () => {
  test("keep both streams separate, and return the exit status", async () => {
    const ran = await piped({ body: sh`echo out; echo err >&2; exit 3` });
    expect({ ...ran, stdout: ran.stdout.toString() }).toEqual({ status: 3, stdout: "out\n", stderr: "err\n" });
  });

  test.each(AWKWARD)("a secret arrives unchanged: %s", async (_what, value) => {
    const { status, stdout } = await piped({ body: withEnvironment([["NAME", new Secret("NAME", value)]], PRINT) });
    expect(status).toBe(0);
    expect(Buffer.from(stdout.toString(), "base64").toString()).toBe(value);
  });

  test("the command gets the input from its first to its last byte, whatever the bytes are", async () => {
    const chunk = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    const input = () => Readable.from(Array.from({ length: 160 }, () => chunk));
    const hash = createHash("sha256");
    for (let i = 0; i < 160; i++) hash.update(chunk);
    const there = await piped({ body: ["sha256sum"] }, input());
    expect(there.stdout.toString()).toBe(`${hash.digest("hex")}  -\n`);
    const back = await piped({ body: ["cat"] }, Readable.from([chunk]));
    expect(back.stdout.equals(chunk)).toBe(true);
  });

  test("input waits for a command that does not read", async () => {
    let taken = 0;
    const input = new Readable({
      read() {
        taken += 65_536;
        this.push(taken > 64 * 1_048_576 ? null : Buffer.alloc(65_536));
      },
    });
    const controller = new AbortController();
    const running = piped({ body: sh`sleep 4715` }, input, controller.signal);
    const failed = failureOf(running);
    await until(() => taken > 0);
    await delay(1000);
    expect(taken).toBeLessThan(16 * 1_048_576);
    controller.abort();
    expect(await failed).toMatchObject({ name: "InterruptedError" });
  });

  test("a command that reads no input does not wait for its end", async () => {
    const open = new PassThrough();
    expect((await piped({ body: ["true"] }, open)).status).toBe(0);
  });

  test("a lost connection ends the remote command, and the cleanup runs", async () => {
    const between = await relay(sshd.port);
    const own = connections(sshSettings(sshd, { port: between.port }));
    const folder = mkdtempSync(join(tmpdir(), "mrsk-lost-"));
    const [began, mark] = [join(folder, "began"), join(folder, "cleaned")];
    const body = sh`echo >${began}; exec sleep 4716`;
    const running = piped({ body, cleanup: sh`echo yes >${mark}` }, new PassThrough(), never, own);
    const failed = failureOf(running);
    await until(() => existsSync(began));
    between.cut();
    expect(await failed).toMatchObject({ message: "127.0.0.1: the connection was lost" });
    await until(() => existsSync(mark));
    await own.close();
    between.close();
  });

  test("a login shell that ends immediately is an error", async () => {
    const strange = await startSshd(["ForceCommand echo this account is closed"]);
    const own = connections(sshSettings(strange));
    await expect(piped({ body: ["true"] }, Readable.from([]), never, own)).rejects.toMatchObject({
      message: expect.stringMatching(/before it ran a command\n[^]*this account is closed/) as string,
    });
    await own.close();
    strange.stop();
  });

  test("a login shell's greeting is not part of the command's output", async () => {
    const strange = await startSshd([`ForceCommand echo welcome; eval "$SSH_ORIGINAL_COMMAND"`]);
    const own = connections(sshSettings(strange));
    expect((await piped({ body: ["echo", "fine"] }, Readable.from([]), never, own)).stdout.toString()).toBe("fine\n");
    await own.close();
    strange.stop();
  });
});

/** Attach a handler immediately: otherwise node reports an unhandled rejection. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    if (tries > 800) throw new Error("it did not come to that");
    await delay(20);
  }
}
