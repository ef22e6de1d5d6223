/** What is known of one key of `deploy.yml`. */
export interface KeyReference {
  readonly key: string;
  /** As a person says it: `list of hosts, or map`. */
  readonly type: string;
  /** `required`, or what counts where the key is not written. */
  readonly default: string;
  /** The release of MRSK, or of Kamal, that brought it; `new`: neither has it. */
  readonly since: string;
  readonly meaning: string;
  /** YAML of this key alone, with names for the values. */
  readonly example: string;
  /** Read, so that files load, but without effect so far. */
  readonly pending?: boolean;
  /** The only places of the section where the key may stand. */
  readonly only?: readonly string[];
}

/** The keys of one map, which may stand in several places. */
export interface Section {
  readonly name: string;
  readonly meaning: string;
  /** Paths of the map, `""` the file itself, `*` for any name. */
  readonly at: readonly string[];
  readonly keys: readonly KeyReference[];
}
