import { readFileSync, statSync } from "node:fs";

/** Reports, once in a run, each private key that `ssh` would refuse to use because of its mode. Used anyway, as in MRSK. */
export class KeyModes {
  private readonly checked = new Set<string>();

  check(files: readonly string[], notify: (text: string) => void): void {
    for (const file of files) {
      if (this.checked.has(file)) continue;
      this.checked.add(file);
      const mode = tooOpen(file);
      if (mode !== undefined)
        notify(`private key ${file} is accessible to other users (mode ${mode}): run chmod 600 ${file}`);
    }
  }
}

/** The mode of a private key that others have any rights to. As in OpenSSH, only of keys that this user owns. */
function tooOpen(file: string): string | undefined {
  try {
    const { mode, uid } = statSync(file);
    const isOpen = (mode & 0o077) !== 0 && uid === process.getuid?.();
    const text = isOpen ? readFileSync(file, "latin1") : "";
    return /^-----BEGIN [A-Z ]*PRIVATE KEY-----|^PuTTY-User-Key-File/.test(text)
      ? (mode & 0o777).toString(8)
      : undefined;
  } catch {
    // An unreadable key is reported where it is used.
    return undefined;
  }
}
