import { type Body, lines } from "../../script/command.ts";
import { type ProbeRoute, waitForRevision } from "../../commands/waits.ts";
import { writeLiveFile } from "../../commands/write-live-file.ts";
import { drain, listeningPorts, recentMilliseconds } from "../../commands/drain.ts";
import { ID_LABEL } from "../../traefik/labels.ts";
import { isInMaintenance, type LiveFile, liveFile } from "../../traefik/live-file.ts";
import { containerPrefix } from "../../config/names.ts";
import { attempt, type Step } from "../../script/script.ts";
import type { Role } from "../../config/config.ts";
import { DEFAULTS } from "../../config/defaults.ts";
import { canaryOf } from "../../plan/containers.ts";
import { type ContainerFact, type HostFacts, readsLiveFiles } from "../../plan/facts.ts";
import { probeBase } from "../rollout/probe-route.ts";
import { nsenter } from "../rollout/role-phases.ts";
import type { Run } from "../run.ts";

/** The settings of a live file that do not depend on its containers. */
type Settings = Pick<LiveFile, "closed" | "maintenance">;

/** The live file of a role whose version does not change. */
export interface LiveRoute {
  /** Writes the file with a probe route, and waits until Traefik has loaded it. */
  readonly writeAndWait: (settings: Settings) => Body;
  /** Writes the file without a probe route. */
  readonly write: (settings?: Settings) => Body;
  /** The probe route of `writeAndWait`. */
  readonly probe: ProbeRoute;
}

/** Whether Traefik reads a live file of the role. */
export function hasLiveFile(role: Role, { traefik, liveDirectoryWritable }: HostFacts): boolean {
  return role.traefik && traefik !== undefined && readsLiveFiles(traefik) && liveDirectoryWritable;
}

/** @param live running or stopped */
export function liveRoute(run: Run, role: Role, facts: HostFacts, live: ContainerFact): LiveRoute {
  const name = containerPrefix(run.config, role);
  const canary = canaryOf(run.config, role, facts);
  const maintenance = isInMaintenance(facts.liveFiles.get(name) ?? "");
  const revision = `${live.labels.get(ID_LABEL) ?? "original"}.0`;
  const hostName = `${run.newId(16)}.mrsk`;
  const base = probeBase({ facts, traefik: { action: "keep", differs: undefined } });
  const probe = { base, hostName, path: "/", revision };
  const appHost = `localhost:${role.healthcheck?.port ?? DEFAULTS.healthcheck.port}`;
  const probed = { container: live, hostName, revision, appHost };
  const written = (file: Partial<LiveFile>) =>
    writeLiveFile(facts.liveDirectory, name, liveFile({ name, live, canary, maintenance, ...file }));
  return {
    probe,
    writeAndWait: (settings) => lines(written({ ...settings, probe: probed }), waitForRevision(probe)),
    write: (settings = {}) => written(settings),
  };
}

/** Waits until each container has no open request. */
export function drainSteps(
  role: Role,
  facts: HostFacts,
  containers: readonly ContainerFact[],
  limitSeconds: number,
): Step[] {
  const options = {
    ports: listeningPorts(role),
    limitSeconds,
    recentMilliseconds: recentMilliseconds(role),
    nsenter: nsenter(facts),
  };
  return containers.map(({ id, name }) => attempt(`Drain ${name}`, drain(id, options)));
}
