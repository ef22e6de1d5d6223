import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { withCopies } from "./copied-configuration.ts";

/** The SSH client's configuration for one host: keys in lower case, each with all its values, in order. */
export type ClientSettings = ReadonlyMap<string, readonly string[]>;

export interface SettingsQuery {
  /** As configured, for messages. */
  readonly name: string;
  readonly host: string;
  /** From deploy.yml; undefined: from the client's configuration. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** Absolute paths of the files to read; empty: the user's and the system's file. */
  readonly files: readonly string[];
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Receives notices for the user about the configuration. */
  readonly note: (text: string) => void;
}

/** How to call OpenSSH. */
export interface Invocation {
  readonly ignoreUnknown: boolean;
  /** Files to include in order, instead of the default files. */
  readonly files: readonly string[];
  /** Whether to read copies, because the files belong to another account. */
  readonly copied: boolean;
}

/** The arguments of `ssh -G`. @param options values of `-o` */
export function sshArguments(
  { user, port, host }: SettingsQuery,
  { ignoreUnknown }: Invocation,
  options: readonly string[] = [],
): string[] {
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

export function runSsh(home: string, invocation: Invocation, args: readonly string[], last = ""): Promise<Output> {
  if (!invocation.copied) return runWith(invocation.files, args, last);
  return withCopies(invocation.files, home, (copies) => runWith(copies, args, last));
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** `ssh -F` accepts one file: it gets a generated file that includes all of them, and ends with `last`. */
function runWith(files: readonly string[], args: readonly string[], last: string): Promise<Output> {
  if (files.length === 0 && last === "") return promisify(execFile)("ssh", [...args]);
  if (files.length === 1 && last === "") return promisify(execFile)("ssh", ["-F", files[0]!, ...args]);
  // ssh opens the path again. That works for a pipe, but not for the socket that node gives to a child.
  const output = promisify(execFile)("/bin/sh", ["-c", 'cat | ssh -F /dev/stdin "$@"', "sh", ...args]);
  const includes = files.map((file) => `Include "${file}"\n`).join("");
  output.child.stdin?.on("error", () => {}).end(includes + last);
  return output;
}

/** The files that OpenSSH has read, from its debug output. */
export function filesRead(stderr: string): string[] {
  const read = [...stderr.matchAll(/^debug1: Reading configuration data (.*?)\r?$/gm)].map(([, file]) => file!);
  return read.filter((file) => file !== "/dev/stdin");
}

/** Without the lines that `-v` adds. */
export function withoutDebugLines(stderr: string | undefined): string {
  const lines = (stderr ?? "").split(/\r?\n/);
  return lines
    .filter((line) => !/^(?:debug\d:|OpenSSH_|Pseudo-terminal will not)/.test(line))
    .join("\n")
    .trim();
}

/** Parses the output of `ssh -G`. */
export function parseSettings(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const key = line.slice(0, space).toLowerCase();
    settings.set(key, [...(settings.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  return settings;
}
