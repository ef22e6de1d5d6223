import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { type SettingsQuery, type ClientSettings, clientSettings } from "./client-config.ts";
import { localAccount } from "../../local-account.ts";

/** A `Host` section, or lines outside of any section (pattern `*`). */
interface Section {
  readonly patterns: readonly string[];
  /** Whether its settings depend on the host, so that hosts under it cannot share a result. */
  readonly perHost: boolean;
}

const ALL_PER_HOST: Section = { patterns: ["*"], perHost: true };

/**
 * `clientSettings` for many hosts. Each `ssh -G` is a process, so hosts under the same `Host` sections share one call. A
 * host under a section with a host name or a token (`HostName`, `%h`) gets its own call, and so does every host if there
 * is a `Match`.
 */
export function sharedClientSettings(): typeof clientSettings {
  const sections = new Map<string, Promise<(host: string) => string | undefined>>();
  const results = new Map<string, Promise<ClientSettings>>();
  return async (query) => {
    const files = query.files.join("\n");
    const matched = await cached(sections, files, () => sectionMatcher(query)).then((match) => match(query.host));
    if (matched === undefined) return clientSettings(query);
    const key = JSON.stringify([files, query.user, query.port, matched]);
    const shared = await cached(results, key, () => clientSettings(query)).catch(() => undefined);
    // Without a shared result call again: the error must name this host.
    return shared ? new Map([...shared, ["hostname", [query.host.toLowerCase()]]]) : clientSettings(query);
  };
}

function cached<T>(values: Map<string, T>, key: string, make: () => T): T {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}

/** @returns a function: the sections that a host matches, as a string; undefined if its settings cannot be shared */
async function sectionMatcher({ files, home }: SettingsQuery): Promise<(host: string) => string | undefined> {
  // OpenSSH reads the account's file, regardless of HOME.
  if (files.length === 0 && localAccount()?.home !== home) return () => undefined;
  const reader = new Reader(await import("ssh-config"), home);
  const system = files.length > 0 ? [] : reader.sectionsOf("/etc/ssh/ssh_config", "/etc/ssh");
  const user = (files.length > 0 ? files : [join(home, ".ssh/config")]).flatMap((file) =>
    reader.sectionsOf(file, join(home, ".ssh")),
  );
  const sections = [...user, ...system];
  return (host) => {
    const matched = sections.map(({ patterns }) => reader.matches(patterns, host));
    return sections.some(({ perHost }, i) => perHost && matched[i]) ? undefined : matched.map(Number).join("");
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

  /** @param folder base of relative paths in an `Include` */
  sectionsOf(file: string, folder: string): Section[] {
    if (!existsSync(file)) return [];
    try {
      return this.sections(this.library.parse(readFileSync(file, "utf8")) as readonly Line[], ["*"], folder);
    } catch {
      return [ALL_PER_HOST]; // OpenSSH reports the error
    }
  }

  private sections(lines: readonly Line[], patterns: readonly string[], folder: string): Section[] {
    const inside = lines.flatMap((line): Section[] => {
      const words = typeof line.value === "string" ? [line.value] : (line.value ?? []).map(({ val }) => val);
      switch (line.param?.toLowerCase()) {
        case "match":
          return [ALL_PER_HOST];
        case "host":
          // The library's `?` also matches no character.
          if (words.some((word) => word.includes("?"))) return [ALL_PER_HOST];
          return this.sections(line.config ?? [], words, folder);
        case "include":
          return words.flatMap((word) => this.included(word, folder));
        case "hostname":
        case "canonicalizehostname":
          return [{ patterns, perHost: true }];
        default:
          return words.some((word) => word.includes("%")) ? [{ patterns, perHost: true }] : [];
      }
    });
    return [{ patterns, perHost: false }, ...inside];
  }

  private included(word: string, folder: string): Section[] {
    const named = word.replace(/^~(?=\/)/, this.home);
    const path = isAbsolute(named) ? named : join(folder, named);
    const [directory, name] = [dirname(path), basename(path)];
    if (/[*?[~%$]/.test(directory) || /[?[%$]/.test(name)) return [ALL_PER_HOST];
    if (!name.includes("*")) return this.sectionsOf(path, folder);
    const names = existsSync(directory) ? readdirSync(directory).toSorted() : [];
    return names
      .filter((one) => !one.startsWith(".") && this.matches([name], one))
      .flatMap((one) => this.sectionsOf(join(directory, one), folder));
  }
}
