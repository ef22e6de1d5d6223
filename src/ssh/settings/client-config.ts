import { readFileSync, statSync } from "node:fs";
import { SshError } from "../../errors.ts";
import { EXPANDED_BY_OPENSSH, expanded, NOT_EXPANDED, tokensOf } from "./expanded-settings.ts";
import { type Asked, type ClientSettings, filesRead, grouped, run, spoken, type Way, words } from "./openssh.ts";
import { ownReading } from "./own-reading.ts";
import type { Tokens } from "./tokens.ts";

export type { Asked, ClientSettings } from "./openssh.ts";

/** Exit status of a shell that did not find the command. */
const NO_COMMAND = 127;

/**
 * Asks `ssh -G`, which is exact (`Include`, `Match`, `%h`), and expands what it leaves. Without OpenSSH the files are
 * read here, where an `Include` is passed over; so they are for a uid without an account, whom OpenSSH does not serve.
 * @throws SshError when OpenSSH refuses the configuration
 */
export async function clientSettings(asked: Asked): Promise<ClientSettings> {
  try {
    return await byOpenSsh(asked, { ignoreUnknown: false, files: asked.files, copied: false });
  } catch (error) {
    if (error instanceof SshError) throw error;
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const nameless = stderr?.includes("No user exists for uid") === true;
    if (nameless)
      asked.note(
        "this user has no entry in passwd, so OpenSSH does not run: mrsk reads ssh_config itself, without its Include lines",
      );
    if (nameless || code === "ENOENT" || code === NO_COMMAND) return readHere(asked);
    throw new SshError(asked.name, `OpenSSH does not read its configuration: ${spoken(stderr) || String(error)}`, {
      hint: "Correct that line, or set ssh.config in deploy.yml to another file, or to false.",
      cause: error,
    });
  }
}

async function byOpenSsh(asked: Asked, way: Way): Promise<ClientSettings> {
  try {
    const { stdout, stderr } = await run(asked.home, way, words(asked, way));
    const settings = await withAsking(asked, way, grouped(stdout), filesRead(stderr));
    return expanded(asked, settings, await tokensFor(asked, way, settings), NOT_EXPANDED);
  } catch (error) {
    const next = anotherWay(asked, way, (error as { stderr?: string }).stderr ?? "");
    if (next === undefined) throw error;
    return byOpenSsh(asked, next);
  }
}

/** What can be done about a refusal: options of another OpenSSH, and a file that another account owns. */
function anotherWay(asked: Asked, way: Way, stderr: string): Way | undefined {
  const unknown = [...stderr.matchAll(/^(.*): Bad configuration option: (\S+)/gm)];
  if (unknown.length > 0 && !way.ignoreUnknown) {
    const where = unknown.map(([, place, option]) => `${option} (${place})`).join(", ");
    asked.note(`the OpenSSH here does not know these options, which are ignored: ${where}`);
    return { ...way, ignoreUnknown: true };
  }
  const [, foreign] = /^Bad owner or permissions on (.*?)\r?$/m.exec(stderr) ?? [];
  if (foreign === undefined || way.copied) return undefined;
  // A file that ssh.config names is read whoever owns it, as one of `ssh -F` is.
  if (asked.files.length > 0) return { ...way, copied: true };
  if (writableByOthers(foreign)) return undefined;
  asked.note(`${foreign} belongs to another account (uid ${statSync(foreign).uid}): ssh refuses it, mrsk reads it`);
  return { ...way, copied: true, files: [`${asked.home}/.ssh/config`, "/etc/ssh/ssh_config"] };
}

function writableByOthers(file: string): boolean {
  return (statSync(file).mode & 0o022) !== 0;
}

/** `ask` is also what OpenSSH says where nothing is set. Whether it is set shows under another last word. */
async function withAsking(
  asked: Asked,
  way: Way,
  settings: Map<string, string[]>,
  read: readonly string[],
): Promise<ClientSettings> {
  if (settings.get("stricthostkeychecking")?.[0] !== "ask") return settings;
  // Of copies the files are gone by now.
  const set = way.copied || read.some((file) => /^\s*StrictHostKeyChecking[\s="]+ask\b/im.test(readable(file)));
  const files = way.files.length > 0 ? way.files : read.filter((file) => /\/(?:\.ssh\/config|ssh_config)$/.test(file));
  const checked =
    set &&
    grouped(
      (await run(asked.home, { ...way, files }, words(asked, way), "Host *\nStrictHostKeyChecking accept-new\n"))
        .stdout,
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

async function readHere(asked: Asked): Promise<ClientSettings> {
  const settings = await ownReading(asked.host, asked.files, asked.home);
  return expanded(asked, settings, tokensOf(asked, settings), { ...NOT_EXPANDED, ...EXPANDED_BY_OPENSSH });
}

/** The hash of the connection differs between versions of OpenSSH, which says it in a path of its own. */
async function tokensFor(asked: Asked, way: Way, settings: ClientSettings): Promise<Tokens> {
  const tokens = tokensOf(asked, settings);
  const hashed = Object.keys(NOT_EXPANDED).some((key) => settings.get(key)?.some((value) => value.includes("%C")));
  if (!hashed) return tokens;
  const { stdout } = await run(asked.home, way, words(asked, way, ["ControlPath=%C"]));
  return { ...tokens, C: grouped(stdout).get("controlpath")?.[0] ?? tokens["C"]! };
}
