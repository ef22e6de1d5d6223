import { record } from "../config/schema-parts.ts";
import * as z from "zod/mini";
import { call } from "../script/call.ts";
import { script, step } from "../script/script.ts";
import type { HostContainer } from "../plan/facts.ts";
import { jsonLines } from "./facts.ts";
import type { Host } from "../hosts/host.ts";

const FORMAT = '{"name":{{json .Name}},"state":{{json .State.Status}},"labels":{{json .Config.Labels}}}';
const Schema = z.object({ name: z.string(), state: z.string(), labels: z.nullable(record(z.string(), z.string())) });

/** Every container of a host, of all services, with its labels. */
export async function observeContainers(host: Host): Promise<HostContainer[]> {
  const inspect = step("Containers", call("inspect_all", FORMAT), "containers");
  const seen = await host.run(script("Observe who uses Traefik", [inspect]));
  return jsonLines(host.name, seen.text(inspect.id), Schema).map(({ name, state, labels }) => ({
    name: name.replace(/^\//, ""),
    state,
    labels: new Map(Object.entries(labels ?? {})),
  }));
}
