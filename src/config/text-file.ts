import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ConfigError } from "../errors.ts";
import { fileReason } from "../file-problem.ts";

/** More than any file written by hand. */
const MOST_BYTES = 4_000_000;

/**
 * The text of a file that the user wrote, without a byte order mark; undefined if there is no such file.
 * @param name as the user knows it, for messages
 * @throws ConfigError when it is a folder, cannot be read, is too large or is not UTF-8
 */
export function readTextFile(path: string, name: string): string | undefined {
  const bytes = readBytes(path, name);
  return bytes && decode(bytes, name);
}

function readBytes(path: string, name: string): Buffer | undefined {
  try {
    return readAtMost(path, name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`Cannot read ${name}: ${fileReason(error) ?? message}`], { cause: error });
  }
}

/** Counts the bytes that it reads: a device or a pipe reports no size. */
function readAtMost(path: string, name: string): Buffer {
  const file = openSync(path, "r");
  try {
    if (fstatSync(file).isDirectory()) throw new ConfigError([`${name}:1:1: this is a folder, and should be a file`]);
    const chunks: Buffer[] = [];
    let total = 0;
    for (;;) {
      const chunk = Buffer.alloc(65_536);
      const length = readSync(file, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
      total += length;
      if (total > MOST_BYTES)
        throw new ConfigError([`${name}:1:1: the file is larger than the ${MOST_BYTES} bytes allowed`]);
    }
  } finally {
    closeSync(file);
  }
}

/** @throws ConfigError at the first byte that is not UTF-8 */
export function decode(bytes: Buffer, name: string): string {
  const utf16 = /^(?:\xff\xfe|\xfe\xff)/.test(bytes.toString("latin1", 0, 2));
  if (utf16) throw new ConfigError([`${name}:1:1: the file is UTF-16: save it as UTF-8`]);
  const nul = bytes.indexOf(0);
  if (nul !== -1)
    throw bad(bytes, nul, name, "there is a NUL byte here, as in UTF-16 or a binary file: save it as UTF-8");
  const text = bytes.toString("utf8");
  if (text.includes("\uFFFD")) checkUtf8(bytes, text, name);
  return text.replace(/^\uFEFF/, "");
}

/** The text has replacement characters: from bytes that are not UTF-8, unless the file itself has the character. */
function checkUtf8(bytes: Buffer, text: string, name: string): void {
  const again = Buffer.from(text);
  if (again.equals(bytes)) return;
  const first = bytes.findIndex((byte, index) => byte !== again[index]);
  throw bad(bytes, first, name, "this byte is not UTF-8: save the file as UTF-8");
}

function bad(bytes: Buffer, offset: number, name: string, message: string): ConfigError {
  const lines = bytes.toString("utf8", 0, offset).split("\n");
  return new ConfigError([`${name}:${lines.length}:${lines.at(-1)!.length + 1}: ${message}`]);
}
