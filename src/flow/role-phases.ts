import { AppCommands } from "../commands/app.ts";
import { assetVolumes } from "../commands/assets.ts";
import { type Body, type Command, lines, type Shell, sh } from "../commands/command.ts";
import {
  anyway,
  keepAlive,
  type PreviewQuestion,
  releaseRestart,
  removeLiveFile,
  stopForGood,
  waitForMark,
  waitForPreview,
  waitUntilHealthy,
  watch,
  writeLiveFile,
} from "../commands/cutover.ts";
import { drain, listeningPorts, recentMilliseconds } from "../commands/drain.ts";
import { deadlineSeconds } from "../commands/healthcheck.ts";
import { type Canary, type LiveFile, liveFile, type Routed } from "../commands/live-file.ts";
import { containerPrefix } from "../commands/names.ts";
import { removeContainers } from "../commands/prune.ts";
import { attempt, type Step, step } from "../commands/script.ts";
import type { Config, Role } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import type { HostPlan, RolePlan } from "../plan/deploy.ts";
import { previewQuestion } from "./preview.ts";

/** How far a host got: what has to be undone. */
export type Progress = "started" | "switched" | "settled";

/** The role with the env that the host's tags make of it. */
export function roleOn(role: Role, host: string): Role {
  return { ...role, env: role.hostEnv?.get(host) ?? role.env };
}

/** The steps of every phase for one role on one host. */
export class RolePhases {
  readonly app: AppCommands;
  readonly file: string;
  readonly preview: PreviewQuestion;

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
    this.preview = previewQuestion(host, role, plan.next, `${newId(16)}.mrsk`);
  }

  get routed(): boolean {
    return this.plan.routing !== "none";
  }

  get viaFile(): boolean {
    return this.plan.routing === "live-file";
  }

  named(what: string): string {
    return `${what} (${this.plan.role.name})`;
  }

  /** The new container beside the old, and its proof that it works. Roles that must not run twice stop the old one first. */
  startSteps(): Step[] {
    const { plan } = this;
    const steps: Step[] = [];
    if (this.plan.role.bootOrder === "stop_first" && plan.old) {
      steps.push(step(this.named("Stop the old container"), stopForGood(plan.old.id, this.config.stopWaitSeconds)));
    }
    if (plan.inTheWay) {
      const { container, newName } = plan.inTheWay;
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
      const file = this.write({ live: plan.old, canary: plan.canary, preview: plan.next, counter: 1 });
      steps.push(step(this.named("Write the preview"), file));
    }
    steps.push(step(this.named(`Start ${plan.next.name}`), this.startCommand()));
    steps.push(step(this.named("Wait until healthy"), this.proof()));
    return steps;
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
      restart: this.viaFile ? "no" : "unless-stopped",
      startInterval: atLeast(this.host.facts.apiVersion, "1.44"),
      healthcheck: plan.dockerAsks,
      volumes: assetVolumes({ config: this.config, role: plan.role, home: this.host.facts.home }, plan.next.labels),
    });
  }

  private proof(): Body {
    const check = this.app.role.healthcheck;
    const name = this.plan.next.name;
    const patience = check ? deadlineSeconds(check) : DEFAULT_PATIENCE_SECONDS;
    const deadline = patience + (check || !this.viaFile ? 0 : this.config.readinessDelaySeconds);
    if (this.viaFile && check && check.cmd === undefined) {
      return waitForPreview(name, this.preview, deadline, this.plan.role.logLines, this.plan.admission.hints);
    }
    const healthy = this.untilHealthy(name, deadline);
    return this.viaFile ? lines(healthy, waitForMark(this.preview)) : healthy;
  }

  untilHealthy(container: string, deadline: number): Shell {
    return waitUntilHealthy(container, deadline, this.config.readinessDelaySeconds, this.plan.role.logLines);
  }

  /** After a failed start, or a lost connection: nothing of the new version is left running, the old one as it was. */
  abandon(): Body {
    const { plan } = this;
    const stop = anyway(sh`docker stop -t 5 ${plan.next.name} >/dev/null 2>&1`);
    const renamed = plan.inTheWay?.newName;
    const restore = this.viaFile ? this.restored() : sh`:`;
    const back = renamed
      ? anyway(
          sh`docker rename ${plan.next.name} ${`${plan.next.name}_failed_${renamed.slice(-16)}`} 2>/dev/null; docker rename ${plan.inTheWay.container.id} ${plan.next.name} 2>/dev/null`,
        )
      : sh`:`;
    // A role that never runs twice has stopped its old container already.
    const revive = this.plan.role.bootOrder === "stop_first" && plan.old ? anyway(keepAliveAgain(plan.old.id)) : sh`:`;
    return lines(revive, anyway(restore), stop, back);
  }

  restored(): Body {
    return this.plan.old
      ? this.settled(this.plan.old, this.plan.canary)
      : removeLiveFile(this.host.facts.liveDirectory, this.file);
  }

  /** The new container gets the requests; what is under way stays with the old one. A reboot revives the new one. */
  switchSteps(): Step[] {
    const { plan } = this;
    const steps: Step[] = [];
    if (this.viaFile) {
      const last = this.otherThanNext(plan.old);
      const file = this.write({ live: plan.next, last, preview: plan.next, counter: 2 });
      steps.push(step(this.named("Switch the requests over"), lines(file, waitForMark(this.previewAt(2)))));
      steps.push(step(this.named("Keep the new container"), keepAlive(plan.next.name)));
      if (this.otherThanNext(plan.old)) {
        steps.push(attempt(this.named("Let the old container go"), releaseRestart(plan.old!.id)));
      }
    }
    return steps;
  }

  otherThanNext(container: RolePlan["old"]): RolePlan["old"] {
    return container && container !== this.plan.next.kept ? container : undefined;
  }

  previewAt(counter: number): PreviewQuestion {
    return { ...this.preview, mark: this.preview.mark.replace(/\d+$/, String(counter)) };
  }

  watchStep(seconds: number): Step {
    return step(this.named(`Watch for ${seconds} s`), watch(this.plan.next.name, seconds, this.plan.role.logLines));
  }

  /** The old one ends once it is quiet, and stays for a rollback. */
  settleSteps(prune: boolean): Step[] {
    const { plan, config } = this;
    const old = this.otherThanNext(plan.old);
    const steps: Step[] = [];
    const noticing = Math.max(0, NOTICING_SECONDS - config.boot.watchSeconds);
    if (old && plan.routing === "labels" && noticing > 0) {
      steps.push(attempt(this.named("Let Traefik notice the new container"), ["sleep", noticing]));
    }
    if (old && plan.role.bootOrder !== "stop_first") {
      if (this.viaFile) steps.push(attempt(this.named("Drain the old container"), this.drain(old.id)));
      steps.push(attempt(this.named("Stop the old container"), stopForGood(old.id, config.stopWaitSeconds)));
    }
    steps.push(...this.stopStale());
    if (this.viaFile) steps.push(step(this.named("Write the live file"), this.settled(plan.next)));
    if (!this.viaFile) steps.push(step(this.named("Keep the new container"), keepAlive(plan.next.name)));
    if (prune && plan.surplus.length > 0) {
      steps.push(attempt(this.named("Prune containers"), removeContainers(plan.surplus.map(({ id }) => id))));
    }
    return steps;
  }

  stopStale(): Step[] {
    return this.plan.stale.flatMap(({ id, name }) => [
      ...(this.viaFile ? [attempt(this.named(`Drain the stale ${name}`), this.drain(id))] : []),
      attempt(this.named(`Stop the stale ${name}`), stopForGood(id, this.config.stopWaitSeconds)),
    ]);
  }

  drain(container: string): Body {
    const { root, sudo } = this.host.facts;
    const nsenter: Command | undefined = root ? ["nsenter"] : sudo ? ["sudo", "-n", "nsenter"] : undefined;
    return drain(container, {
      ports: listeningPorts(this.app.role),
      limitSeconds: this.config.drainTimeoutSeconds,
      recentMilliseconds: recentMilliseconds(this.plan.role),
      nsenter,
    });
  }

  /** How the next container stands in the file while the old one has its requests back. */
  private leaving(): Pick<LiveFile, "last" | "canary"> {
    const { next, share } = this.plan;
    return share === undefined ? { last: next } : { canary: { container: next, percent: 0 } };
  }

  /** Back to what ran before, the same loss-free way. */
  undoSteps(progress: Progress): Step[] {
    const { plan, config } = this;
    const old = this.otherThanNext(plan.old);
    const steps: Step[] = [];
    if (!this.routed && progress === "started") return steps;
    const oldStopped = old && (progress === "settled" || plan.role.bootOrder === "stop_first");
    if (oldStopped) {
      steps.push(step(this.named(`Start ${old.name} again`), sh`docker start ${old.id} >/dev/null`));
      steps.push(step(this.named("Wait until healthy"), this.untilHealthy(old.id, 60)));
    }
    if (this.viaFile && old) {
      steps.push(
        step(
          this.named("Switch the requests back"),
          lines(this.write({ live: old, ...this.leaving(), preview: old, counter: 3 }), waitForMark(this.previewAt(3))),
        ),
      );
    }
    if (old) steps.push(attempt(this.named("Keep the old container"), keepAlive(old.id)));
    if (!plan.next.kept || plan.next.kept !== plan.old) {
      if (this.viaFile && old && progress !== "started")
        steps.push(attempt(this.named("Drain"), this.drain(plan.next.name)));
      steps.push(attempt(this.named(`Stop ${plan.next.name}`), stopForGood(plan.next.name, config.stopWaitSeconds)));
    }
    if (this.viaFile) steps.push(step(this.named("Write the live file"), this.restored()));
    return steps;
  }

  /** The file with `live` in charge, what is beside it, and the preview of a container under the counter's mark. */
  write({
    preview,
    counter,
    ...containers
  }: Pick<LiveFile, "live" | "last" | "canary"> & { preview: Routed; counter: number }): Shell {
    const { mark, hostName } = this.previewAt(counter);
    const port = this.app.role.healthcheck?.port ?? 3000;
    const text = liveFile({
      name: this.file,
      ...containers,
      preview: { container: preview, hostName, mark, appHost: `localhost:${port}` },
    });
    return writeLiveFile(this.host.facts.liveDirectory, this.file, text);
  }

  /** The file without a preview. */
  settled(live: Routed, canary?: Canary): Shell {
    return writeLiveFile(this.host.facts.liveDirectory, this.file, liveFile({ name: this.file, live, canary }));
  }
}

/** A Traefik without live files looks at docker every two seconds by default. */
const NOTICING_SECONDS = 4;
/** Starts a container that was stopped for good, and lets reboots revive it. */
function keepAliveAgain(container: string): Shell {
  return sh`docker start ${container} >/dev/null && ${keepAlive(container)} >/dev/null`;
}

/** Of a role without a check: the original's seven attempts. */
const DEFAULT_PATIENCE_SECONDS = 28;

function atLeast(version: string, wanted: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
