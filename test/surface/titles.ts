// Tests that several rows name.
export const LINES = "flow/audit: %s writes its lines";
export const LOGS =
  "surface/commands: logs: --since, --lines, --grep and --grep-options say which lines, 100 without any";
export const FOLLOW = "surface/commands: -f follows all hosts at once, each line under its host's name";
export const OTHER_LOGS = "surface/commands: logs of an accessory and of Traefik have times";
export const APP_EXEC =
  "surface/commands: app exec: a new container or --reuse, -e for one more variable, -i for a terminal";
export const ACCESSORY_EXEC = "surface/commands: accessory exec: a new container or --reuse, -i on its first host";
export const REGISTRY =
  "surface/commands: registry login and logout reach this machine and the servers, -L and -R leave one out";
export const BUILD =
  "surface/commands: build: deliver is push and pull; create, remove and details act on this machine";
export const LOCK = "surface/commands: lock: acquire takes it with a message, status tells, release frees it";
export const TRAEFIK = "surface/commands: traefik: boot, start, stop, details reach the hosts that run it";
export const REBOOT =
  "surface/commands: traefik reboot asks unless -y, and a no changes nothing; --rolling takes host by host";
export const APP_BLOCKS = "flow/app: app details, containers, images and version are blocks of what docker says";
export const STALE = "flow/app: stale containers are told, and stopped with --stop alone";
export const START_STOP =
  "flow/app: start takes the container last live, or that of --version; stop takes all that run";
export const REMOVE = "flow/app: remove takes app, Traefik, accessories and the login, and names the log that stays";
export const PARTS = "flow/accessory: the hidden parts can be called alone";
export const RESTART = "flow/accessory: start fails where there is none, stop does not, restart is both";
export const ENV = "cli/main: what later versions pushed to servers needs no push here";
export const HELP = "cli/main: %j: help on standard output, and 0";
export const USAGE = "cli/main: %s: one error, and 2";
export const SELECTED = "hosts/select: %s";
export const RETAIN = "flow/prune: --retain says how many, 0 being none: what runs or is paused stays";
export const INIT = "cli/main: init writes what is missing, and says what takes the place of the binstub";
export const ENVIFY = "cli/main: envify writes .env, or the destination's, for the user alone";
export const CONFIG =
  "cli/main: config shows what the program works with, as YAML or JSON, before or after the command's name";
export const BUILDS =
  "surface/commands: deploy builds unless -P says that the image is there, redeploy does not log in";
export const DEPLOY = "surface/commands: deploy announces each part, and tells the whole time";
export const DOWNGRADE = "flow/downgrade: downgrade asks once, and takes the accessories along";
export const SETUP = "surface/commands: setup -P deploys without a build, also the second time";
export const CANARY =
  "flow/canary: a canary starts, gets its share and is watched; the old one runs on, and no release is recorded";
