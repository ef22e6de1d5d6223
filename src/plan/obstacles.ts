import { joinInterrupts } from "../commands/network.ts";
import type { HostPlan, RolePlan } from "./deploy.ts";
import type { HostFacts } from "./facts.ts";

/** The obstacles on a host, a line each. Found before anything is changed. */
export function obstacles(plan: HostPlan): string[] {
  const found = [...plan.traefikProblems, ...joinObstacles(plan)];
  if (!plan.facts.canProbe && plan.roles.some(({ routing }) => routing === "live-file")) {
    found.push(
      "the host has neither curl nor wget to probe a new version through Traefik: run `mrsk server bootstrap` first",
    );
  }
  if (!plan.facts.runDirectoryWritable) {
    found.push(`${plan.facts.user} may not write in its home directory ${plan.facts.home}, where mrsk keeps its files`);
  }
  for (const role of plan.roles) {
    found.push(...canaryObstacles(role, plan.facts), ...healthObstacles(role));
    if (role.routing !== "none" && role.admission.refused) {
      found.push(`Traefik would not route to role ${role.role.name}: ${role.admission.refused}`);
    }
    if (
      role.routing === "labels" &&
      role.percent === undefined &&
      role.old &&
      !sameRouting(role.old.labels, role.next.labels)
    ) {
      found.push(
        `the routing labels of role ${role.role.name} change, and this Traefik reads no live files: requests would be lost. Run \`mrsk traefik reboot\` first`,
      );
    }
  }
  return found;
}

/** Whether the running Traefik would lose requests when it joins the network. */
export function joinObstacles({ traefik, join, facts }: Pick<HostPlan, "traefik" | "join" | "facts">): string[] {
  if (traefik.action !== "keep" || join === undefined) return [];
  if (!joinInterrupts(join, facts.traefik!.networks)) return [];
  return [
    `Traefik is not on the network ${join}, and joining it now would cut the requests under way. Run \`mrsk traefik reboot\` first`,
  ];
}

function canaryObstacles({ role, routing, percent, old }: RolePlan, facts: HostFacts): string[] {
  if (percent === undefined) return [];
  const found: string[] = [];
  if (!old) found.push(`role ${role.name} runs nothing that a canary could run alongside. Run \`mrsk deploy\` first`);
  if (role.bootOrder === "stop_first") {
    found.push(
      `role ${role.name} must not run twice (boot.order: stop_first), which a percentage of its requests would require`,
    );
  }
  if (routing === "labels") {
    found.push(`this Traefik reads no live files, so it cannot weight requests. Run \`mrsk traefik reboot\` first`);
  }
  if (facts.canaryRelease !== undefined) {
    found.push(`runs version ${facts.canaryRelease} as a canary. Run \`mrsk promote\` or \`mrsk rollback\` first`);
  }
  return found;
}

/** Without docker's health check and without a probe route, a container would never count as healthy. */
function healthObstacles({ role, routing, usesDockerHealthcheck }: RolePlan): string[] {
  if (usesDockerHealthcheck || routing === "live-file") return [];
  const start = `the image has no curl that runs, which the health check of role ${role.name} needs`;
  const command = `servers.${role.name}.healthcheck.cmd to a command that the image has`;
  return routing === "labels"
    ? [`${start}: run \`mrsk traefik reboot\` first, for a Traefik with probe routes, or set ${command}`]
    : [`${start}: set ${command}`];
}

function sameRouting(old: ReadonlyMap<string, string>, next: ReadonlyMap<string, string>): boolean {
  const routing = (labels: ReadonlyMap<string, string>) =>
    [...labels]
      .filter(([name]) => name.startsWith("traefik."))
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join("\n");
  return routing(old) === routing(next);
}
