import { AppCommands } from "../../commands/app.ts";
import { assetVolumes } from "../../commands/assets.ts";
import { type Body, type Hole, lines, type Shell, sh } from "../../script/command.ts";
import {
  type ProbeRoute,
  waitForRevision,
  waitForProbeRoute,
  waitUntilHealthy,
  type Watched,
} from "../../commands/waits.ts";
import { enableRestart, moveRestart, stopSeconds, stopWithoutRestart } from "../../commands/restart-policy.ts";
import { removeLiveFile, writeLiveFile } from "../../commands/write-live-file.ts";
import { drain, listeningPorts, recentMilliseconds } from "../../commands/drain.ts";
import { deadlineSeconds, needsCurl } from "../../commands/healthcheck.ts";
import { IMAGES_FILE, orRemove } from "../../commands/image-check.ts";
import { type Canary, isInMaintenance, type LiveFile, liveFile, type Routed } from "../../traefik/live-file.ts";
import { containerPrefix } from "../../config/names.ts";
import { removeContainers } from "../../commands/prune.ts";
import { attempt, type Step, step } from "../../script/script.ts";
import type { Config, Role } from "../../config/config.ts";
import { DEFAULTS } from "../../config/defaults.ts";
import type { Secret } from "../../config/env/secret.ts";
import type { HostPlan, RolePlan } from "../../plan/deploy.ts";
import { type HostFacts, isUp } from "../../plan/facts.ts";
import { isNewerApi } from "../../plan/traefik-engine.ts";
import { probeRoute } from "./probe-route.ts";

/** The role with the environment of the host: its tags may add variables. */
export function roleOn(role: Role, host: string): Role {
  return { ...role, env: role.hostEnv?.get(host) ?? role.env };
}

/** The steps of every phase for one role on one host. */
export class RolePhases {
  readonly app: AppCommands;
  readonly file: string;
  readonly probeRoute: ProbeRoute;

  readonly config: Config;
  readonly host: HostPlan;
  readonly plan: RolePlan;
  private readonly secrets: ReadonlyMap<string, Secret>;
  private readonly newId: (digits: number) => string;

  constructor(
    config: Config,
    host: HostPlan,
    plan: RolePlan,
    secrets: ReadonlyMap<string, Secret>,
    newId: (digits: number) => string,
  ) {
    this.config = config;
    this.host = host;
    this.plan = plan;
    this.secrets = secrets;
    this.newId = newId;
    const role = roleOn(plan.role, host.host);
    this.app = new AppCommands(config, role);
    this.file = containerPrefix(config, role);
    this.probeRoute = probeRoute(host, role, plan.next, `${newId(16)}.mrsk`);
  }

  /** A change of version does not end the maintenance. */
  private get maintenance(): boolean {
    return isInMaintenance(this.host.facts.liveFiles.get(this.file) ?? "");
  }

  get viaFile(): boolean {
    return this.plan.routing === "live-file";
  }

  get stopFirst(): boolean {
    return this.plan.role.bootOrder === "stop_first";
  }

  /** Whether the role starts in the switch phase, when every other role is ready. */
  get startsAtSwitch(): boolean {
    return startsAtSwitch(this.plan);
  }

  /** The container that the next one replaces; undefined if the live container itself is the next one. */
  get old(): RolePlan["old"] {
    return this.plan.old && this.plan.old !== this.plan.next.kept ? this.plan.old : undefined;
  }

  /** The old container, if the finalize phase stops it: stop_first has stopped it before, a canary keeps it. */
  private get oldToStop(): RolePlan["old"] {
    return this.stopFirst || this.plan.percent !== undefined ? undefined : this.old;
  }

  named(what: string): string {
    return `${what} (${this.plan.role.name})`;
  }

  /** Starts the next container alongside the old one, and waits until it is healthy. stop_first stops the old one before. */
  startSteps(): Step[] {
    const { plan } = this;
    const steps: Step[] = this.stopFirst ? this.stopOldFirst() : [];
    if (plan.nameConflict) {
      const { container, newName } = plan.nameConflict;
      steps.push(
        newName === undefined
          ? step(
              this.named(`Remove ${container.name}`),
              sh`docker rm ${container.id} >/dev/null 2>&1 || ! docker inspect ${container.id} >/dev/null 2>&1`,
            )
          : step(this.named(`Rename ${container.name} as already deployed`), this.app.rename(container.id, newName)),
      );
    }
    if (this.viaFile) {
      const live = plan.old ?? plan.stopped;
      const closed = plan.old === undefined || (this.stopFirst && this.old !== undefined);
      const file = this.write({ live, canary: plan.canary, probe: plan.next, counter: 1, closed });
      steps.push(step(this.named("Write the probe route"), file));
    }
    steps.push(step(this.named(`Start ${plan.next.name}`), this.startCommand()));
    steps.push(step(this.named("Wait until healthy"), this.readinessStep()));
    return steps;
  }

  private stopOldFirst(): Step[] {
    const { old, plan } = this;
    if (!old) return [];
    const stop = step(
      this.named("Stop the old container"),
      stopWithoutRestart(old.id, stopSeconds(this.config, plan.role)),
    );
    if (!this.viaFile) return [stop];
    const close = this.write({ live: old, probe: old, counter: 0, closed: true });
    return [
      attempt(this.named("Close the route"), lines(close, waitForRevision(this.probeRouteAt(0)))),
      attempt(this.named("Drain the old container"), this.drain(old.id)),
      stop,
    ];
  }

  private startCommand(): Body {
    const { plan } = this;
    if (plan.next.kept) return this.app.start(plan.next.name);
    return this.app.run({
      name: plan.next.name,
      version: plan.next.version,
      host: this.host.host,
      suffix: this.newId(12),
      labels: plan.next.labels,
      secrets: this.secrets,
      // Before the switch a reboot of the server restarts the old container; with stop_first, which stopped it, the new one.
      restart: this.stopFirst ? (plan.role.restartPolicy ?? "unless-stopped") : "no",
      startInterval: !isNewerApi("1.44", this.host.facts.clientApiVersion),
      logDriver: this.host.facts.logDriver,
      healthcheck: plan.usesDockerHealthcheck,
      volumes: assetVolumes({ config: this.config, role: plan.role, home: this.host.facts.home }, plan.next.labels),
    });
  }

  private readinessStep(): Shell {
    const { usesDockerHealthcheck, next } = this.plan;
    const readinessCheck = this.readinessCheck();
    if (!usesDockerHealthcheck || next.kept || !needsCurl(this.app.role)) return readinessCheck;
    return orRemove(readinessCheck, `${this.config.runDirectory}/${IMAGES_FILE}`);
  }

  private readinessCheck(): Shell {
    const check = this.app.role.healthcheck;
    const name = this.plan.next.name;
    const patience = deadlineSeconds(check, this.config.deployTimeoutSeconds);
    const deadline = patience + (check || !this.viaFile ? 0 : this.config.readinessDelaySeconds);
    if (this.viaFile && check && check.cmd === undefined) {
      return waitForProbeRoute(name, this.probeRoute, deadline, this.plan.role.logLines, this.plan.admission.hints);
    }
    const healthy = this.untilHealthy(name, deadline);
    return this.viaFile ? lines(healthy, waitForRevision(this.probeRoute)) : healthy;
  }

  untilHealthy(container: string, deadline: number): Shell {
    return waitUntilHealthy(container, deadline, this.config.readinessDelaySeconds, this.plan.role.logLines);
  }

  /** Routes new requests to the next container. The old one finishes its requests. A reboot restarts the next one. */
  switchSteps(): Step[] {
    const { plan, old } = this;
    const policy = plan.role.restartPolicy;
    const keep = old ? moveRestart(plan.next.name, old.id, policy) : enableRestart(plan.next.name, policy);
    const keeping = step(this.named("Keep the new container"), keep);
    if (!this.viaFile) return [keeping];
    const file = this.write({ live: plan.next, last: old, probe: plan.next, counter: 2 });
    return [
      step(this.named("Switch the requests over"), file),
      // Traefik reads the file meanwhile.
      keeping,
      step(this.named("Wait until Traefik has switched"), waitForRevision(this.probeRouteAt(2))),
    ];
  }

  probeRouteAt(counter: number): ProbeRoute {
    return { ...this.probeRoute, revision: this.probeRoute.revision.replace(/\d+$/, String(counter)) };
  }

  watched(): Watched {
    const { name, kept } = this.plan.next;
    return { name, fresh: kept === undefined || !isUp(kept), logLines: this.plan.role.logLines };
  }

  /**
   * Drains the old container and the stale ones. The version is live by then: a step may fail, and the next deploy repeats
   * it.
   * @param pastSeconds since the switch
   */
  drainSteps(pastSeconds: number): Step[] {
    const { plan, old } = this;
    const remaining = Math.max(0, LISTING_SECONDS - Math.floor(pastSeconds));
    const waits = old !== undefined && plan.routing === "labels" && remaining > 0;
    return [
      ...(waits ? [this.waitForTraefik(remaining)] : []),
      ...(this.oldToStop && this.viaFile
        ? [this.drainStep("Drain the old container", this.oldToStop.id, pastSeconds)]
        : []),
      ...this.drainStale(),
    ];
  }

  /** Ids of the containers that the finalize phase stops. */
  idsToStop(): string[] {
    return [...(this.oldToStop ? [this.oldToStop] : []), ...this.plan.stale].map(({ id }) => id);
  }

  /** The steps after the old container has stopped. */
  finalizeSteps({ prune }: { prune: boolean }): Step[] {
    const { next, surplus } = this.plan;
    return [
      ...(this.viaFile ? [attempt(this.named("Write the live file"), this.finalizedFile(next))] : []),
      ...(prune && surplus.length > 0
        ? [attempt(this.named("Prune containers"), removeContainers(surplus.map(({ id }) => id)))]
        : []),
    ];
  }

  waitForTraefik(seconds = LISTING_SECONDS): Step {
    return attempt(this.named("Wait until Traefik lists the container"), ["sleep", seconds]);
  }

  drain(container: Hole, pastSeconds = 0): Body {
    return drain(container, {
      ports: listeningPorts(this.app.role),
      limitSeconds: this.config.drainTimeoutSeconds,
      pastSeconds,
      recentMilliseconds: recentMilliseconds(this.plan.role),
      nsenter: nsenter(this.host.facts),
    });
  }

  private drainStale(): Step[] {
    if (!this.viaFile) return [];
    return this.plan.stale.map(({ id, name }) => this.drainStep(`Drain the stale ${name}`, id));
  }

  private drainStep(title: string, containerId: string, pastSeconds = 0): Step {
    return attempt(this.named(title), this.drain(containerId, pastSeconds), `${DRAIN}${containerId}`);
  }

  /** Writes the live file: the containers, and the probe route of one of them under the revision of the counter. */
  write({
    probe,
    counter,
    ...containers
  }: Pick<LiveFile, "live" | "last" | "canary" | "closed"> & { probe: Routed; counter: number }): Shell {
    const { revision, hostName } = this.probeRouteAt(counter);
    const port = this.app.role.healthcheck?.port ?? DEFAULTS.healthcheck.port;
    const text = liveFile({
      name: this.file,
      ...containers,
      maintenance: this.maintenance,
      probe: { container: probe, hostName, revision, appHost: `localhost:${port}` },
    });
    return writeLiveFile(this.host.facts.liveDirectory, this.file, text);
  }

  /** Writes the live file without a probe route. */
  finalizedFile(live: Routed, canary?: Canary): Shell {
    const text = liveFile({ name: this.file, live, canary, maintenance: this.maintenance });
    return writeLiveFile(this.host.facts.liveDirectory, this.file, text);
  }

  /** Writes the live file as it was before the deploy. */
  revertedFile(): Body {
    const before = this.plan.old ?? this.plan.stopped;
    return before
      ? this.finalizedFile(before, this.plan.canary)
      : removeLiveFile(this.host.facts.liveDirectory, this.file);
  }
}

/** The start of the ids of drain steps. */
const DRAIN = "drain ";

/** Whether the step drains a container in the finalize phase: its output reports connections that did not end. */
export function isDrain({ id }: { readonly id: string }): boolean {
  return id.startsWith(DRAIN);
}

/** Whether the role starts in the switch phase: Traefik does not route to it, or its old container must stop first. */
export function startsAtSwitch({ role, routing }: RolePlan): boolean {
  return routing === "none" || role.bootOrder === "stop_first";
}

/** The command that enters the network namespace of a container; undefined if the login user may not. */
export function nsenter({ root, sudo }: HostFacts): readonly string[] | undefined {
  if (root) return ["nsenter"];
  return sudo ? ["sudo", "-n", "nsenter"] : undefined;
}

/** Without live files, Traefik lists the containers every two seconds by default. */
const LISTING_SECONDS = 4;
