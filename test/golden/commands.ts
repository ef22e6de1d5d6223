/** The counterpart of a recorded line of MRSK 0.13.2. */
export interface Counterpart {
  /** Paths in a recording: `roles/web/stop_current`. */
  readonly lines: RegExp;
  /** The command of this program that sends it, by its name in `sent.ts`. */
  readonly command: string;
  /** Why the line differs, if it does. */
  readonly why: readonly Reason[];
}

/** Why a line differs from MRSK's. */
export const REASONS = {
  stdin: "a password goes to standard input: every user of the host can read arguments",
  environment: "secrets and build arguments travel in the environment of docker, never as arguments",
  engine: "`docker version` of the engine checks the client as well",
  chosen: "a builder is created without becoming the default of other builds; builds name it",
  driver: "the size limit of a log is added if the engine's log driver accepts it",
  chain: "a failed builder command skips the others, and a removal can be repeated",
  joined: "buildx 0.13.1 succeeds when it cannot join the parts of two builders, so the registry is inspected",
  traefik: "Traefik 3.7.15 by default, with live files, an entry point for probes, and log level INFO",
  unpublished: "the container of a health check publishes nothing, has a host name and limits its log",
  fresh: "a container is always created, with its own id; docker restarts it only once it is live",
  named: "containers are named by their observed id, without xargs",
  called: "a function is sent once, and called with arguments",
  oneOff: "a one-off container has a name and a label, and runs the live version",
  ssh: "an interactive command uses the open connection",
  where: "the step runs in the home directory, and a POSIX shell finds the programs",
  complete: "a file gets its name only when it is complete and has its mode",
  byName: "an accessory is removed by its name: another service may have the label",
  owner: "docker removes the files that a container wrote as root",
} as const;
export type Reason = keyof typeof REASONS;

export const COUNTERPARTS: readonly Counterpart[] = [
  { lines: /^registry\/login$/, command: "registry login", why: ["stdin"] },
  { lines: /^registry\/logout$/, command: "registry logout", why: [] },
  { lines: /^builder\/dependency_check$/, command: "deploy", why: ["engine"] },
  { lines: /^builder\/create$/, command: "build create", why: ["chosen", "chain"] },
  { lines: /^builder\/push$/, command: "build push", why: ["environment", "joined"] },
  { lines: /^builder\/remove$/, command: "build remove", why: ["chain"] },
  { lines: /^builder\/info$/, command: "build details", why: ["chain"] },
  { lines: /^builder\/pull$/, command: "build pull", why: [] },
  { lines: /^traefik\/run$/, command: "traefik boot", why: ["traefik"] },
  { lines: /^healthcheck\/run$/, command: "healthcheck perform", why: ["unpublished", "environment", "driver"] },
  { lines: /^roles\/[^/]+\/start_or_run/, command: "deploy", why: ["fresh", "environment"] },
  { lines: /^roles\/[^/]+\/stop_version_old1$/, command: "deploy", why: ["named"] },
  { lines: /^roles\/[^/]+\/stop_current$/, command: "app stop", why: ["named"] },
  { lines: /^app_no_role\/exec_new$/, command: "app exec bin/console", why: ["oneOff", "environment"] },
  { lines: /^app_no_role\/exec_new_interactive/, command: "app exec -i bash", why: ["ssh", "oneOff", "environment"] },
  { lines: /^app_no_role\/tag_latest$/, command: "deploy", why: [] },
  { lines: /^app_no_role\/list_images$/, command: "app images", why: [] },
  { lines: /^app_no_role\/remove_images$/, command: "app remove-images", why: ["named", "called"] },
  { lines: /^prune\/dangling_images$/, command: "prune all", why: ["called"] },
  { lines: /^accessories\/[^/]+\/run$/, command: "accessory boot all", why: ["environment", "driver"] },
  { lines: /^accessories\/[^/]+\/(?:directories|uploads\/\d+\/mkdir)/, command: "accessory boot all", why: ["where"] },
  { lines: /^accessories\/[^/]+\/uploads\/\d+\/chmod$/, command: "accessory boot all", why: ["where", "complete"] },
  { lines: /^accessories\/[^/]+\/remove_container$/, command: "accessory remove all", why: ["byName"] },
  { lines: /^accessories\/[^/]+\/remove_image$/, command: "accessory remove all", why: [] },
  { lines: /^accessories\/[^/]+\/remove_directory$/, command: "accessory remove all", why: ["owner"] },
];

/** Lines of MRSK that this program does not send, and why. */
export const NOT_SENT: readonly { readonly lines: RegExp; readonly why: string }[] = [
  { lines: /^builder\/name$/, why: "a name that MRSK derived, not a command" },
  { lines: /^builder\/clean$/, why: "a pull does not remove the image first: a failed pull left the host without it" },
  {
    lines: /^healthcheck\/(?:status|logs|health_log|stop|remove)$/,
    why: "one script starts the container, waits, prints its log when it fails, and removes it",
  },
  {
    lines: /^roles\/[^/]+\/(?:current_running_version|status)$/,
    why: "one script inspects all containers of the service before anything is decided",
  },
  {
    lines: /^prune\/containers$/,
    why: "each role keeps its own containers: five over all roles and destinations leave too few for a rollback",
  },
  { lines: /^prune\/tagged_images$/, why: "complete image names are compared: to grep -w a dot is any character" },
  { lines: /^accessories\/[^/]+\/(?:hosts\/|uploads\/\d+\/(?:local|remote)$)/, why: "values, not commands" },
];
