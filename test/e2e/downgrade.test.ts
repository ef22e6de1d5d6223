import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const SERVER = "b";
const project = new Project("dg");

beforeAll(async () => {
  await sweep(SERVER);
  project.configure({ servers: [lab["LAB_B"]], boot: { watch: 1 } });
  project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
  await project.commit("First");
});
afterAll(() => sweep(SERVER));

test("a server of Kamal 2 moves to Traefik with the live version", async () => {
  succeeded(await project.mrsk("build", "deliver", "--version", "v1"));
  const labels = "--label service=dg --label role=web --label destination=";
  // As Kamal 2 leaves it: an app container without routing labels, and a container kamal-proxy on port 80.
  await onServer(SERVER, `docker run -d --name dg-web-v1 ${labels} registry:5000/lab/dg:v1`);
  await onServer(SERVER, "docker run -d --name kamal-proxy -p 80:80 --entrypoint sleep registry:5000/lab/dg:v1 600");
  const before = await onServer(SERVER, "docker inspect -f '{{.Id}}' dg-web-v1");
  succeeded(await project.mrsk("traefik", "downgrade", "-y"));
  expect(await ask(SERVER, "/version")).toEqual({ status: 200, text: "v1\n" });
  expect(await onServer(SERVER, "docker ps --format '{{.Names}}' | sort")).toBe("dg-web-v1\ntraefik");
  expect(await onServer(SERVER, `docker inspect -f '{{.Name}} {{.State.Status}}' ${before}`)).toMatch(
    /^\/dg-web-v1_replaced_[0-9a-f]{16} exited$/,
  );
});
