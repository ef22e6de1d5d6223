import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { withCopies } from "./copied-configuration.ts";

/** What the SSH client's configuration says about one host: keys in lower case, each with all its values, in order. */
export type ClientSettings = ReadonlyMap<string, readonly string[]>;

export interface Asked {
  /** As configured, for messages. */
  readonly name: string;
  readonly host: string;
  /** What deploy.yml fixes; undefined is left to the client's configuration. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** Absolute paths, that count instead of the user's and the system's file; empty: those two. */
  readonly files: readonly string[];
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gets what a person should know about the configuration. */
  readonly note: (text: string) => void;
}

/** How OpenSSH is called beyond what is asked. */
export interface Way {
  readonly ignoreUnknown: boolean;
  /** Files to include one after the other, in place of those that OpenSSH finds for itself. */
  readonly files: readonly string[];
  /** Whether copies are read, where the files belong to another account. */
  readonly copied: boolean;
}

/** The words of `ssh -G`. @param options as of `-o` */
export function words({ user, port, host }: Asked, { ignoreUnknown }: Way, options: readonly string[] = []): string[] {
  return [
    "-G",
    "-v",
    ...(ignoreUnknown ? ["-o", "IgnoreUnknown=*"] : []),
    ...options.flatMap((option) => ["-o", option]),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    host,
  ];
}

export function run(home: string, way: Way, args: readonly string[], last = ""): Promise<Output> {
  if (!way.copied) return runWith(way.files, args, last);
  return withCopies(way.files, home, (copies) => runWith(copies, args, last));
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** OpenSSH takes one file: several are what a file says that includes them. */
function runWith(files: readonly string[], args: readonly string[], last: string): Promise<Output> {
  if (files.length === 0 && last === "") return promisify(execFile)("ssh", [...args]);
  if (files.length === 1 && last === "") return promisify(execFile)("ssh", ["-F", files[0]!, ...args]);
  // ssh opens the path again, which works on a pipe and not on the socket that a child has from here.
  const asking = promisify(execFile)("/bin/sh", ["-c", 'cat | ssh -F /dev/stdin "$@"', "sh", ...args]);
  const includes = files.map((file) => `Include "${file}"\n`).join("");
  asking.child.stdin?.on("error", () => {}).end(includes + last);
  return asking;
}

/** The files that OpenSSH says it read. */
export function filesRead(stderr: string): string[] {
  const read = [...stderr.matchAll(/^debug1: Reading configuration data (.*?)\r?$/gm)].map(([, file]) => file!);
  return read.filter((file) => file !== "/dev/stdin");
}

/** Without what `-v` adds. */
export function spoken(stderr: string | undefined): string {
  const lines = (stderr ?? "").split(/\r?\n/);
  return lines
    .filter((line) => !/^(?:debug\d:|OpenSSH_|Pseudo-terminal will not)/.test(line))
    .join("\n")
    .trim();
}

/** Keys with their values, of what `ssh -G` prints. */
export function grouped(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const key = line.slice(0, space).toLowerCase();
    settings.set(key, [...(settings.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  return settings;
}
