import type { ContainerFact } from "../../src/plan/facts.ts";
import type { FakeHost } from "./fake-host.ts";
import { answersLook, TRAEFIK } from "./look.ts";

/** The host answers a flow's questions as one does where these containers and live files are, behind Traefik. */
export function observed(
  host: FakeHost,
  {
    containers,
    liveFiles = new Map(),
    releases = [],
  }: {
    readonly containers: readonly ContainerFact[];
    readonly liveFiles?: ReadonlyMap<string, string>;
    readonly releases?: readonly string[];
  },
): void {
  const inspected = containers.map((fact) => ({
    ...fact,
    name: `/${fact.name}`,
    health: fact.health ?? null,
    labels: Object.fromEntries(labelsOf(fact)),
  }));
  answersLook(host, { containers: inspected, traefik: TRAEFIK, liveFiles }).replies(
    /^Releases$/,
    releases.map((version) => `1\t2026-01-01T00:00:00Z\t${version}\tsomebody`).join("\n"),
  );
}

/** Facts say the role apart from the labels; docker says it in them. */
function labelsOf({ role, destination, labels }: ContainerFact): Map<string, string> {
  const all = new Map(labels);
  if (role !== undefined) all.set("role", role);
  if (destination !== undefined) all.set("destination", destination);
  return all;
}
