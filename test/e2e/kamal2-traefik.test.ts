import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";
import { get } from "./traefik.ts";

/** The app and Traefik. */
const SERVER = "a";
/** The accessory and its Traefik. */
const OTHER = "b";
const INNER = lab[`LAB_${SERVER.toUpperCase()}_INNER`]!;

const FORGED = {
  forwarded: "for=203.0.113.7;proto=https",
  "x-forwarded-for": "203.0.113.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "forged.test",
};

describe("Traefik with the settings of a Kamal 2 file", () => {
  const project = new Project("boxed");
  const accessory = (version: string, more: Readonly<Record<string, unknown>> = {}) => ({
    tool: {
      image: `${lab["LAB_REGISTRY"]}/lab/boxed:${version}`,
      host: lab["LAB_B"],
      env: { APP_VERSION: "tool" },
      proxy: { host: "tool.test", app_port: 3000, ...more },
    },
  });
  const configure = (proxy: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) =>
    project.configure({
      servers: [lab["LAB_A"]],
      proxy: { host: "boxed.test", app_port: 3000, ...proxy },
      boot: { watch: 1 },
      stop_wait_time: undefined,
      stop_timeout: 2,
      ...more,
    });
  const bound = { run: { bind_ips: [INNER] } };
  const open = { forward_headers: false, logging: { request_headers: ["X-Asked"], response_headers: ["X-Version"] } };
  const run = { http_port: 80, metrics_port: 9090, debug: true, log_max_size: "2m" };
  let version = "";

  beforeAll(async () => {
    await sweep(SERVER, OTHER);
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    configure(bound);
    version = await project.commit("First");
  });
  afterAll(() => sweep(SERVER, OTHER));

  /** The headers of a request with forged ones, as the app gets it. */
  async function headersInApp(): Promise<Readonly<Record<string, string>>> {
    const answer = await get(SERVER, "boxed.test", { path: "/headers", headers: FORGED });
    return JSON.parse(answer.text) as Readonly<Record<string, string>>;
  }

  const fromInside = (url: string, host = "boxed.test") =>
    onServer(SERVER, `curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'Host: ${host}' ${url} || true`);

  test("without ssl the app gets the client's X-Forwarded headers, at the addresses of bind_ips alone", async () => {
    succeeded(await project.mrsk("deploy"));
    const seen = await headersInApp();
    expect(seen["x-forwarded-for"]).toMatch(/^203\.0\.113\.7, [\d.]+$/);
    expect(seen).toMatchObject({ "x-forwarded-proto": "https", "x-forwarded-host": "forged.test", host: "boxed.test" });
    expect(seen["forwarded"]).toBeUndefined();
    expect(await onServer(SERVER, "docker port traefik 80/tcp")).toBe(`${INNER}:80`);
    expect(await fromInside("http://127.0.0.1/up")).toBe("000");
    expect(await fromInside(`http://${INNER}/up`)).toBe("200");
  });

  test("changed settings are reported, and a reboot carries them out", async () => {
    configure({ ...open, run });
    const { stderr } = succeeded(await project.mrsk("app", "boot"));
    expect(stderr).toMatch(
      /Traefik is running, but it lacks .*--accesslog\.format=json.*; it has --log\.level=INFO --entrypoints\.http\.forwardedheaders\.insecure=true; it does not publish 80 at every address\. `mrsk traefik reboot` replaces it\./,
    );
    succeeded(await project.mrsk("traefik", "reboot", "-y"));
    expect(await fromInside("http://127.0.0.1/up")).toBe("200");
    expect(succeeded(await project.mrsk("traefik", "boot")).stderr).toContain("Traefik is already running");
    expect(await onServer(SERVER, "docker inspect -f '{{json .HostConfig.LogConfig.Config}}' traefik")).toBe(
      '{"max-size":"2m"}',
    );
  });

  test("with forward_headers: false the app gets Traefik's own headers", async () => {
    const seen = await headersInApp();
    expect(seen["x-forwarded-for"]).toMatch(/^[\d.]+$/);
    expect(seen["x-forwarded-for"]).not.toBe("203.0.113.7");
    expect(seen).toMatchObject({ "x-forwarded-proto": "http", "x-forwarded-host": "boxed.test" });
  });

  test("each request is logged as JSON with the headers of logging alone", async () => {
    await get(SERVER, "boxed.test", { path: "/version?logged", headers: { "x-asked": "yes", "x-other": "no" } });
    const line = await onServer(SERVER, "docker logs traefik 2>&1 | grep -F '/version?logged' | tail -n 1");
    const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
    expect(entry).toMatchObject({
      RequestPath: "/version?logged",
      DownstreamStatus: 200,
      "request_X-Asked": "yes",
      "downstream_X-Version": version,
    });
    expect(Object.keys(entry).filter((key) => /X-Other|User-Agent/i.test(key))).toEqual([]);
  });

  test("Prometheus reads the metrics at Traefik's own address, and no app answers there", async () => {
    const address = await onServer(SERVER, "docker inspect -f '{{.NetworkSettings.Networks.kamal.IPAddress}}' traefik");
    const metrics = await onServer(SERVER, `curl -s -m 5 http://${address}:9090/metrics`);
    expect(metrics).toContain('traefik_entrypoint_requests_total{code="200",entrypoint="http"');
    expect(await fromInside(`http://${address}:9090/up`)).toBe("404");
    expect(await onServer(SERVER, "docker port traefik | grep -c 9090 || true")).toBe("0");
  });

  test("an accessory gets the requests to its host name, from a Traefik on its server", async () => {
    configure({ ...open, run }, { accessories: accessory(version) });
    succeeded(await project.mrsk("accessory", "boot", "tool"));
    await expect.poll(async () => (await get(OTHER, "tool.test")).text, { timeout: 10_000 }).toBe("tool\n");
    expect((await get(OTHER, "other.test")).status).toBe(503);
    const again = succeeded(await project.mrsk("accessory", "boot", "tool"));
    expect(again.stderr).toContain("boxed-tool is already running");
  });

  test("an accessory that does not answer its health check fails the boot, with the lines of its log", async () => {
    const proxy = { host: "moved.test", healthcheck: { path: "/missing" } };
    configure({ ...open, run }, { accessories: accessory(version, proxy), deploy_timeout: 3 });
    const noted = await project.mrsk("accessory", "boot", "tool");
    expect(noted.status).toBe(6);
    const ran = await project.mrsk("accessory", "reboot", "tool");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain("the accessory tool did not become healthy");
    expect(ran.stderr).toContain(
      "No good answer at port 3000, /missing, after 3 s. The last one: HTTP/1.1 404 Not Found",
    );
    expect(ran.stderr).toContain("listening, version tool");
    configure({ ...open, run }, { accessories: accessory(version, { host: "moved.test" }) });
    succeeded(await project.mrsk("accessory", "reboot", "tool"));
    await expect.poll(async () => (await get(OTHER, "moved.test")).text, { timeout: 10_000 }).toBe("tool\n");
    expect((await get(OTHER, "tool.test")).status).toBe(503);
  });

  test("remove removes the Traefik of the accessory as well", async () => {
    succeeded(await project.mrsk("remove", "-y"));
    for (const server of [SERVER, OTHER]) expect(await onServer(server, "docker ps -aq")).toBe("");
  });
});
