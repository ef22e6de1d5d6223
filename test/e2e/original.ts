import { lab, onServer } from "./project.ts";

/** MRSK's command line for Traefik, from the reference of its behaviour, with the lab's image. */
export const ORIGINAL_TRAEFIK =
  'docker run --name traefik --detach --restart unless-stopped --publish 80:80 --volume /var/run/docker.sock:/var/run/docker.sock --log-opt max-size="10m" traefik:v3.7.15 --providers.docker --log.level=DEBUG';

/** MRSK's command line for one role of a service. */
export function originalApp(service: string, role: "web" | "workers", image: string): string {
  const version = image.slice(image.lastIndexOf(":") + 1);
  const name = `${service}-${role}-${version}`;
  const common = `docker run --detach --restart unless-stopped --name ${name} --hostname 192.0.2.1-0123456789ab -e MRSK_CONTAINER_NAME="${name}"`;
  const labels = `--log-opt max-size="10m" --label service="${service}" --label role="${role}"`;
  if (role === "workers") return `${common} ${labels} ${image} node server.js`;
  const routed = [
    `--label traefik.http.services.${service}-web.loadbalancer.server.scheme="http"`,
    `--label traefik.http.routers.${service}-web.rule="PathPrefix(\\\`/\\\`)"`,
    `--label traefik.http.middlewares.${service}-web-retry.retry.attempts="5"`,
    `--label traefik.http.middlewares.${service}-web-retry.retry.initialinterval="500ms"`,
    `--label traefik.http.routers.${service}-web.middlewares="${service}-web-retry@docker"`,
  ].join(" ");
  const health = '--health-cmd "curl -f http://localhost:3000/up || exit 1" --health-interval "1s"';
  return `${common} ${health} ${labels} ${routed} ${image}`;
}

/** Logs in and pulls the image on a server, as MRSK does. */
export async function pullOn(server: string, image: string): Promise<void> {
  const { LAB_REGISTRY, LAB_REGISTRY_PASSWORD, LAB_REGISTRY_USER } = lab;
  await onServer(
    server,
    `docker login -u ${LAB_REGISTRY_USER} -p ${LAB_REGISTRY_PASSWORD} ${LAB_REGISTRY} 2>/dev/null; docker pull -q ${image}`,
  );
}
