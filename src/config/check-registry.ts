import type { Mistake } from "./issues.ts";
import type { Written } from "./written.ts";

/** Docker's rule that separates a registry from the path of a repository. */
const REGISTRY = /^([^/]*[.:][^/]*|localhost)\/(.+)$/;

const DOCKER_HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** Only `registry.server` may name the registry, as the login goes there; `image` may not repeat or replace it. */
export function imageMistakes(written: Written, server: unknown): Mistake[] {
  const found = registryInImage(written["image"], server);
  if (!found) return [];
  const { problem, registry, rest } = found;
  const registryToo = server ? "" : `registry: {server: ${registry}} and `;
  return [{ path: ["image"], message: `${problem}: write ${registryToo}image: ${rest}` }];
}

/** Kamal 2 accepts such an image. */
export function imageNotes(image: string | null | undefined, server: string | null | undefined): string[] {
  const found = registryInImage(image, server);
  if (!found) return [];
  const repository = server ? `, and the images are at ${server}/${image}` : "";
  return [`image: ${found.problem}${repository}, as in Kamal 2`];
}

interface RegistryInImage {
  readonly registry: string;
  /** The image without the registry. */
  readonly rest: string;
  readonly problem: string;
}

function registryInImage(image: unknown, server: unknown): RegistryInImage | undefined {
  if (typeof image !== "string") return undefined;
  if (typeof server === "string" && server !== "") {
    if (!image.startsWith(`${server}/`)) return undefined;
    return { registry: server, rest: image.slice(server.length + 1), problem: "registry/server is put before it" };
  }
  const [, registry = "", rest = ""] = REGISTRY.exec(image) ?? [];
  if (registry === "" || DOCKER_HUB.has(registry)) return undefined;
  const problem = `${registry} is a registry, and without registry/server the login goes to Docker Hub`;
  return { registry, rest, problem };
}
