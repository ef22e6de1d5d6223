import { readFileSync, statSync } from "node:fs";
import { SshError } from "../../errors.ts";
import { EXPANDED_BY_OPENSSH, expanded, UNEXPANDED, tokensOf } from "./expanded-settings.ts";
import {
  type SettingsQuery,
  type ClientSettings,
  filesRead,
  parseSettings,
  runSsh,
  withoutDebugLines,
  type Invocation,
  sshArguments,
} from "./openssh.ts";
import { readWithoutOpenSsh } from "./without-openssh.ts";
import type { Tokens } from "./tokens.ts";

export type { SettingsQuery, ClientSettings } from "./openssh.ts";

/** Exit status of a shell for an unknown command. */
const NO_COMMAND = 127;

/**
 * Runs `ssh -G`, which handles `Include`, `Match` and `%h` exactly, and expands the tokens that it does not. Without
 * OpenSSH, mrsk reads the files itself and ignores `Include`; so too for a uid without an account, which OpenSSH refuses.
 * @throws SshError when OpenSSH rejects the configuration
 */
export async function clientSettings(query: SettingsQuery): Promise<ClientSettings> {
  try {
    return await readWithOpenSsh(query, { ignoreUnknown: false, files: query.files, copied: false });
  } catch (error) {
    if (error instanceof SshError) throw error;
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const nameless = stderr?.includes("No user exists for uid") === true;
    if (nameless)
      query.note(
        "this user has no entry in passwd, so OpenSSH does not run: mrsk reads ssh_config itself, without its Include lines",
      );
    if (nameless || code === "ENOENT" || code === NO_COMMAND) return readHere(query);
    throw new SshError(query.name, `OpenSSH rejects its configuration: ${withoutDebugLines(stderr) || String(error)}`, {
      hint: "Correct it, or set ssh.config in deploy.yml to another file or to false.",
      cause: error,
    });
  }
}

async function readWithOpenSsh(query: SettingsQuery, invocation: Invocation): Promise<ClientSettings> {
  try {
    const { stdout, stderr } = await runSsh(query.home, invocation, sshArguments(query, invocation));
    const settings = await withoutDefaultAsk(query, invocation, parseSettings(stdout), filesRead(stderr));
    return expanded(query, settings, await tokensFor(query, invocation, settings), UNEXPANDED);
  } catch (error) {
    const next = retryInvocation(query, invocation, (error as { stderr?: string }).stderr ?? "");
    if (next === undefined) throw error;
    return readWithOpenSsh(query, next);
  }
}

/** How to call OpenSSH again after an error: it does not know an option, or another account owns a file. */
function retryInvocation(query: SettingsQuery, invocation: Invocation, stderr: string): Invocation | undefined {
  const unknown = [...stderr.matchAll(/^(.*): Bad configuration option: (\S+)/gm)];
  if (unknown.length > 0 && !invocation.ignoreUnknown) {
    const where = unknown.map(([, place, option]) => `${option} (${place})`).join(", ");
    query.note(`the OpenSSH here does not know these options, which are ignored: ${where}`);
    return { ...invocation, ignoreUnknown: true };
  }
  const [, foreign] = /^Bad owner or permissions on (.*?)\r?$/m.exec(stderr) ?? [];
  if (foreign === undefined || invocation.copied) return undefined;
  // A file that ssh.config names is read whoever owns it, as with `ssh -F`.
  if (query.files.length > 0) return { ...invocation, copied: true };
  if (writableByOthers(foreign)) return undefined;
  query.note(`${foreign} belongs to another account (uid ${statSync(foreign).uid}): ssh refuses it, mrsk reads it`);
  return { ...invocation, copied: true, files: [`${query.home}/.ssh/config`, "/etc/ssh/ssh_config"] };
}

function writableByOthers(file: string): boolean {
  return (statSync(file).mode & 0o022) !== 0;
}

/**
 * Drops `StrictHostKeyChecking ask` if it is only OpenSSH's default. A setting in a file wins over one at the end: if
 * `accept-new` at the end changes the result, no file sets it.
 */
async function withoutDefaultAsk(
  query: SettingsQuery,
  invocation: Invocation,
  settings: Map<string, string[]>,
  read: readonly string[],
): Promise<ClientSettings> {
  if (settings.get("stricthostkeychecking")?.[0] !== "ask") return settings;
  // Copied files are already deleted.
  const set = invocation.copied || read.some((file) => /^\s*StrictHostKeyChecking[\s="]+ask\b/im.test(readable(file)));
  const files =
    invocation.files.length > 0
      ? invocation.files
      : read.filter((file) => /\/(?:\.ssh\/config|ssh_config)$/.test(file));
  const checked =
    set &&
    parseSettings(
      (
        await runSsh(
          query.home,
          { ...invocation, files },
          sshArguments(query, invocation),
          "Host *\nStrictHostKeyChecking accept-new\n",
        )
      ).stdout,
    );
  return new Map([...settings, ["stricthostkeychecking", (checked && checked.get("stricthostkeychecking")) || []]]);
}

function readable(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

async function readHere(query: SettingsQuery): Promise<ClientSettings> {
  const settings = await readWithoutOpenSsh(query.host, query.files, query.home);
  return expanded(query, settings, tokensOf(query, settings), { ...UNEXPANDED, ...EXPANDED_BY_OPENSSH });
}

/** `%C`, the hash of the connection, differs between versions of OpenSSH: read it from the expanded ControlPath. */
async function tokensFor(query: SettingsQuery, invocation: Invocation, settings: ClientSettings): Promise<Tokens> {
  const tokens = tokensOf(query, settings);
  const hashed = Object.keys(UNEXPANDED).some((key) => settings.get(key)?.some((value) => value.includes("%C")));
  if (!hashed) return tokens;
  const { stdout } = await runSsh(query.home, invocation, sshArguments(query, invocation, ["ControlPath=%C"]));
  return { ...tokens, C: parseSettings(stdout).get("controlpath")?.[0] ?? tokens["C"]! };
}
