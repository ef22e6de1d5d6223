import { lab, type Project } from "./project.ts";
import type { Row } from "./row.ts";

// Works for all paths of curl and the shells: the last layer, made by the shell that it removes.
const NO_CURL = ["RUN rm -f $(command -v curl) || true"];
const NO_SHELL = ["RUN rm -f $(command -v curl) /bin/sh /bin/bash /bin/dash"];
const ALONE = "only the probe route checks the container";

const changingRule = (round: number, { service }: Project) => ({
  labels: {
    [`traefik.http.routers.${service}-web.rule`]: `PathPrefix(\`/\`)${" && PathPrefix(`/`)".repeat(round % 3)}`,
    [`traefik.http.middlewares.${service}-web-retry.retry.attempts`]: String(3 + (round % 3)),
  },
});

const as =
  (user: string) =>
  (_: number, { folder }: Project) => ({
    ssh: { user, keys: [lab["LAB_KEY"]], config: [`${folder}/ssh_config`] },
  });

/** Kinds of apps and deploys: server `a` has an old engine, `b` a newer one. */
export const ROWS: readonly Row[] = [
  { what: "ends politely", server: "a", env: { TERM_MANNER: "polite" }, streams: true },
  { what: "exits immediately", server: "b", env: { TERM_MANNER: "rude" }, streams: true },
  { what: "ignores SIGTERM", server: "a", env: { TERM_MANNER: "ignore" } },
  { what: "labels change", server: "b", env: { TERM_MANNER: "rude" }, more: changingRule },
  {
    what: "no docker health check, listens 2 s late",
    server: "b",
    env: { TERM_MANNER: "rude", START_DELAY_MS: "2000" },
    docker: NO_CURL,
    expects: [ALONE],
  },
  {
    what: "no shell in the image, listens 2 s late",
    server: "a",
    env: { TERM_MANNER: "rude", START_DELAY_MS: "2000" },
    docker: NO_SHELL,
    expects: [ALONE],
  },
  { what: "a neighbour changes too", server: "b", env: { TERM_MANNER: "ignore" }, neighbour: true },
  { what: "labels change, another health check", server: "a", env: { TERM_MANNER: "polite" }, more: ownCommand },
];

function ownCommand(round: number, project: Project): Record<string, unknown> {
  const cmd = "node -e \"fetch('http://localhost:3000/up').then((r) => process.exit(r.ok ? 0 : 1))\"";
  return { ...changingRule(round, project), healthcheck: { cmd } };
}

/** Login users with fewer permissions. */
export const USER_ROWS: readonly Row[] = [
  {
    what: "a user in the group docker",
    server: "a",
    env: { TERM_MANNER: "rude" },
    more: as("deploy"),
    expects: ["s: observing its connections needs ss, and root or sudo"],
  },
  { what: "a user with sudo", server: "b", env: { TERM_MANNER: "rude" }, more: as("sudoer") },
];
