/** The documentation of one key of `deploy.yml`. */
export interface KeyReference {
  readonly key: string;
  /** In plain English: `list of hosts, or map`. */
  readonly type: string;
  /** `required`, or the value that applies without the key. */
  readonly default: string;
  /** The version of MRSK or Kamal that introduced the key; `new`: neither has it. */
  readonly since: string;
  readonly meaning: string;
  /** YAML of this key alone, with names for the values. */
  readonly example: string;
  /** Accepted, so that files load, but without effect so far. */
  readonly pending?: boolean;
  /** The only places of the section that may have the key; undefined: all of them. */
  readonly only?: readonly string[];
}

/** The keys of one map, which the file may have in several places. */
export interface Section {
  readonly name: string;
  readonly meaning: string;
  /** Paths of the map: `""` is the file itself, `*` is any name. */
  readonly at: readonly string[];
  readonly keys: readonly KeyReference[];
}
