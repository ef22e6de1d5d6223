import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { type Asked, type ClientSettings, clientSettings } from "./client-config.ts";
import { localAccount } from "../../local-account.ts";

/** A `Host` section, or a part of what stands outside of any. */
interface Section {
  readonly patterns: readonly string[];
  /** Whether what it says depends on more than being under it, so that a host there has settings of its own. */
  readonly own: boolean;
}

const OWN_FOR_ALL: Section = { patterns: ["*"], own: true };

/**
 * `clientSettings` for many hosts: OpenSSH is a process each time, and is asked once for all hosts that come under the
 * same `Host` sections. A host under a section with a name or a token (`HostName`, `%h`) is asked for by itself, and so is
 * every host where there is a `Match`.
 */
export function sharedClientSettings(): typeof clientSettings {
  const sections = new Map<string, Promise<(host: string) => string | undefined>>();
  const answers = new Map<string, Promise<ClientSettings>>();
  return async (asked) => {
    const files = asked.files.join("\n");
    const under = await kept(sections, files, () => hostsUnder(asked)).then((of) => of(asked.host));
    if (under === undefined) return clientSettings(asked);
    const key = JSON.stringify([files, asked.user, asked.port, under]);
    const shared = await kept(answers, key, () => clientSettings(asked)).catch(() => undefined);
    // An error is to name the host.
    return shared ? new Map([...shared, ["hostname", [asked.host.toLowerCase()]]]) : clientSettings(asked);
  };
}

function kept<T>(values: Map<string, T>, key: string, make: () => T): T {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}

/** Says which sections a host is under, as a word; undefined where its settings may be like no other's. */
async function hostsUnder({ files, home }: Asked): Promise<(host: string) => string | undefined> {
  // The user's own file is that of the account, whatever HOME says.
  if (files.length === 0 && localAccount()?.home !== home) return () => undefined;
  const reader = new Reader(await import("ssh-config"), home);
  const system = files.length > 0 ? [] : reader.sectionsOf("/etc/ssh/ssh_config", "/etc/ssh");
  const user = (files.length > 0 ? files : [join(home, ".ssh/config")]).flatMap((file) =>
    reader.sectionsOf(file, join(home, ".ssh")),
  );
  const sections = [...user, ...system];
  return (host) => {
    const under = sections.map(({ patterns }) => reader.matches(patterns, host));
    return sections.some(({ own }, i) => own && under[i]) ? undefined : under.map(Number).join("");
  };
}

interface Line {
  readonly param?: string;
  readonly value?: string | readonly { readonly val: string }[];
  readonly config?: readonly Line[];
}

class Reader {
  private readonly library: typeof import("ssh-config");
  private readonly home: string;

  constructor(library: typeof import("ssh-config"), home: string) {
    this.library = library;
    this.home = home;
  }

  matches(patterns: readonly string[], text: string): boolean {
    return this.library.glob([...patterns], text);
  }

  /** @param folder where relative names in an `Include` begin */
  sectionsOf(file: string, folder: string): Section[] {
    if (!existsSync(file)) return [];
    try {
      return this.sections(this.library.parse(readFileSync(file, "utf8")) as readonly Line[], ["*"], folder);
    } catch {
      return [OWN_FOR_ALL]; // what is wrong with it is for OpenSSH to say
    }
  }

  private sections(lines: readonly Line[], patterns: readonly string[], folder: string): Section[] {
    const inside = lines.flatMap((line): Section[] => {
      const words = typeof line.value === "string" ? [line.value] : (line.value ?? []).map(({ val }) => val);
      switch (line.param?.toLowerCase()) {
        case "match":
          return [OWN_FOR_ALL];
        case "host":
          // To the library a `?` may also be no character.
          if (words.some((word) => word.includes("?"))) return [OWN_FOR_ALL];
          return this.sections(line.config ?? [], words, folder);
        case "include":
          return words.flatMap((word) => this.included(word, folder));
        case "hostname":
        case "canonicalizehostname":
          return [{ patterns, own: true }];
        default:
          return words.some((word) => word.includes("%")) ? [{ patterns, own: true }] : [];
      }
    });
    return [{ patterns, own: false }, ...inside];
  }

  private included(word: string, folder: string): Section[] {
    const named = word.replace(/^~(?=\/)/, this.home);
    const path = isAbsolute(named) ? named : join(folder, named);
    const [directory, name] = [dirname(path), basename(path)];
    if (/[*?[~%$]/.test(directory) || /[?[%$]/.test(name)) return [OWN_FOR_ALL];
    if (!name.includes("*")) return this.sectionsOf(path, folder);
    const names = existsSync(directory) ? readdirSync(directory).toSorted() : [];
    return names
      .filter((one) => !one.startsWith(".") && this.matches([name], one))
      .flatMap((one) => this.sectionsOf(join(directory, one), folder));
  }
}
