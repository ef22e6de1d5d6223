import { readFileSync, statSync } from "node:fs";

/** Says once in a run which private keys `ssh` would refuse to use. They are used here, as MRSK did. */
export class KeyModes {
  private readonly seen = new Set<string>();

  check(files: readonly string[], notify: (text: string) => void): void {
    for (const file of files) {
      if (this.seen.has(file)) continue;
      this.seen.add(file);
      const mode = tooOpen(file);
      if (mode !== undefined)
        notify(`${file} is a private key that other users can open (mode ${mode}): run chmod 600 ${file}`);
    }
  }
}

/** The mode of a private key that others have any rights to; as with OpenSSH, only of this user's own. */
function tooOpen(file: string): string | undefined {
  try {
    const { mode, uid } = statSync(file);
    const isOpen = (mode & 0o077) !== 0 && uid === process.getuid?.();
    const text = isOpen ? readFileSync(file, "latin1") : "";
    return /^-----BEGIN [A-Z ]*PRIVATE KEY-----|^PuTTY-User-Key-File/.test(text)
      ? (mode & 0o777).toString(8)
      : undefined;
  } catch {
    // What cannot be read is explained where it is used.
    return undefined;
  }
}
