import type { Mistake } from "./issues.ts";

type Written = Readonly<Record<string, unknown>>;

/** Docker's rule that separates a registry from the path of a repository. */
const REGISTRY = /^([^/]*[.:][^/]*|localhost)\/(.+)$/;

const DOCKER_HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** Only `registry.server` may name the registry, as the login goes there; `image` may not repeat or replace it. */
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
  return [{ path: ["image"], message: `registry/server is put before it: write image: ${rest}` }];
}
