import { record } from "../config/schema-parts.ts";
import * as z from "zod/mini";
import { sh } from "../script/command.ts";
import { script, step } from "../script/script.ts";
import type { Neighbour } from "../plan/facts.ts";
import { jsonLines } from "./facts.ts";
import type { Host } from "../hosts/host.ts";

const FORMAT = '{"name":{{json .Name}},"state":{{json .State.Status}},"labels":{{json .Config.Labels}}}';
const Schema = z.object({ name: z.string(), state: z.string(), labels: z.nullable(record(z.string(), z.string())) });

/** Every container of a host, whoever made it, with its labels. */
export async function neighbours(host: Host): Promise<Neighbour[]> {
  const look = sh`look() { ids=$(docker ps --all --quiet); [ -z "$ids" ] || docker inspect --type container --format ${FORMAT} $ids; }
seen=$(look) || seen=$(look)
printf '%s\n' "$seen"`;
  const seen = await host.run(script("Observe who uses Traefik", [step("Containers", look)]));
  return jsonLines(host.name, seen.text("Containers"), Schema).map(({ name, state, labels }) => ({
    name: name.replace(/^\//, ""),
    state,
    labels: new Map(Object.entries(labels ?? {})),
  }));
}
