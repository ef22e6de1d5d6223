import { request } from "node:http";
import { lab, onServer, Project } from "./project.ts";

const address = (server: string) => lab[`LAB_${server.toUpperCase()}`]!;

/** Status and text of a page of a site. Status 0 without an answer. */
export function visit(server: string, host: string, path = "/up"): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(`http://${address(server)}${path}`, { headers: { host }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(`${response.statusCode} ${text.trim()}`));
    });
    outgoing.on("error", (error) => resolve(`0 ${error.message}`)).end();
  });
}

/** A service with the host name `SERVICE.test`, deployed by a login user. */
export function site(service: string, server: string, user = "root") {
  const project = new Project(service);
  const configure = (traefik: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    project.configure({
      servers: [address(server)],
      labels: { [`traefik.http.routers.${service}-web.rule`]: `Host(\`${service}.test\`)` },
      ssh: { user, keys: [lab["LAB_KEY"]], config: [`${project.folder}/ssh_config`] },
      boot: { watch: 1 },
      stop_wait_time: 2,
      traefik,
      ...more,
    });
  project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\nTOKEN=a'b "c"\n`);
  configure();
  return { project, configure, commit: () => project.commit("First") };
}

/** Names of the containers whose names begin like Traefik's. */
export function traefiks(server: string): Promise<string> {
  return onServer(server, "docker ps -a --format '{{.Names}}' | grep traefik");
}
