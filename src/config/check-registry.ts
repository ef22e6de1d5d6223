import type { Mistake } from "./issues.ts";

type Written = Readonly<Record<string, unknown>>;

/** Docker's own rule for what is a registry and not a part of the path. */
const REGISTRY = /^([^/]*[.:][^/]*|localhost)\/(.+)$/;

const DOCKER_HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** The image names its registry in one place: `registry.server`, which is also where the login goes. */
export function imageMistakes(written: Written, server: unknown): Mistake[] {
  const { image } = written;
  if (typeof image !== "string") return [];
  if (typeof server === "string" && server !== "") return repeatedServer(image, server);
  const [, registry = "", rest = ""] = REGISTRY.exec(image) ?? [];
  if (registry === "" || DOCKER_HUB.has(registry)) return [];
  const message = `${registry} is a registry, and without registry/server the login goes to Docker Hub: write registry: {server: ${registry}} and image: ${rest}`;
  return [{ path: ["image"], message }];
}

function repeatedServer(image: string, server: string): Mistake[] {
  if (!image.startsWith(`${server}/`)) return [];
  const rest = image.slice(server.length + 1);
  return [{ path: ["image"], message: `registry/server stands in front of it already: write image: ${rest}` }];
}
