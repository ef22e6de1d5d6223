import { afterAll, beforeAll, expect, test } from "vitest";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";
import { SHARED_DIRECTORY } from "../../src/shell/constants.ts";

const SERVER = "a";

/** Three neighbours on one server: a service, its second destination, and a service whose name begins with its name. */
const one = new Project("nb");
const two = new Project("nb-two");
const NEIGHBOURS = {
  nb: { project: one, flags: [] },
  "nb staging": { project: one, flags: ["-d", "staging"] },
  "nb-two": { project: two, flags: [] },
} as const;
type Neighbour = keyof typeof NEIGHBOURS;

const mrsk = (who: Neighbour, ...words: string[]) => NEIGHBOURS[who].project.mrsk(...NEIGHBOURS[who].flags, ...words);
const did = async (who: Neighbour, ...words: string[]) => succeeded(await mrsk(who, ...words));

/** The state of a neighbour on the server: containers by id, live file, logs. */
async function holdings(who: Neighbour): Promise<string> {
  const [service = "", destination = ""] = who.split(" ");
  const dashed = (...parts: string[]) => parts.filter(Boolean).join("-");
  const format = '{{.ID}} {{.Names}} {{.State}} {{.Label "destination"}}';
  const containers = await onServer(SERVER, `docker ps -a --filter label=service=${service} --format '${format}'`);
  const own = containers.split("\n").filter((line) => line.endsWith(` ${destination}`));
  const name = dashed(service, destination);
  const files = `${SHARED_DIRECTORY}/traefik/${dashed(service, "web", destination)}.yml mrsk-${name}-audit.log .mrsk/releases-${name}`;
  return `${own.join("\n")}\n${await onServer(SERVER, `cat ${files} 2>&1 || true`)}`;
}

/** Runs a command of one neighbour, and expects no change of the others. */
async function alone(who: Neighbour, ...words: string[]): Promise<void> {
  const others = (Object.keys(NEIGHBOURS) as Neighbour[]).filter((other) => other !== who);
  const before = await Promise.all(others.map(holdings));
  await did(who, ...words);
  expect(await Promise.all(others.map(holdings))).toEqual(before);
}

const serves = (who: Neighbour) =>
  onServer(SERVER, `curl -s -H 'Host: ${who.replace(" ", "-")}.test' http://127.0.0.1/version`);
const images = (service: string) =>
  onServer(SERVER, `docker image ls --format '{{.Tag}}' registry:5000/lab/${service} | sort | tr '\\n' ' '`);
const rule = (name: string, host: string) => ({ [`traefik.http.routers.${name}.rule`]: `Host(\`${host}.test\`)` });

beforeAll(async () => {
  await sweep(SERVER);
  for (const project of [one, two]) {
    // Labels in deploy.yml would also apply to the destination, so nb has no host name: its rule matches the remaining requests.
    // A configured context is built as it is, so uncommitted changes are part of the version.
    const own =
      project === two ? { labels: rule("nb-two-web", "nb-two"), builder: { multiarch: false, context: "." } } : {};
    project.configure({ servers: [lab["LAB_A"]], boot: { watch: 1 }, ...own });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
  }
  one.write("config/deploy.staging.yml", `labels: ${JSON.stringify(rule("nb-web-staging", "nb-staging"))}\n`);
  await one.commit("First");
  await two.commit("First");
});
afterAll(() => sweep(SERVER));

test("three neighbours deploy the same version, with dashes in it", async () => {
  for (const who of Object.keys(NEIGHBOURS) as Neighbour[]) await did(who, "deploy", "--version", "v1-rc1");
  for (const who of Object.keys(NEIGHBOURS) as Neighbour[]) expect(await serves(who)).toBe("v1-rc1");
});

test("a deploy of one does not change the others' containers, live files and logs", async () => {
  await alone("nb", "deploy", "--version", "v1-rc2");
  expect(await serves("nb")).toBe("v1-rc2");
  two.write("untracked.txt", "not committed");
  await alone("nb-two", "deploy");
  expect(await serves("nb-two")).toMatch(/^[0-9a-f]{40}_uncommitted_[0-9a-f]{16}$/);
  await alone("nb staging", "app", "stale-containers", "--stop");
  await alone("nb", "rollback");
  expect(await serves("nb")).toBe("v1-rc1");
});

test("each has its own lock", async () => {
  await did("nb", "lock", "acquire", "-m", "busy");
  const held = await mrsk("nb", "app", "boot");
  expect(held).toMatchObject({ status: 4, stderr: expect.stringContaining("Message: busy") as string });
  for (const other of ["nb staging", "nb-two"] as const) {
    expect((await did(other, "lock", "status")).stdout).toBe("There is no deploy lock");
    await alone(other, "prune", "all");
  }
  expect((await did("nb", "lock", "status")).stdout).toContain("Message: busy");
  await did("nb", "lock", "release");
});

test("pruning one keeps the others' running containers, and those for their rollbacks", async () => {
  await alone("nb", "prune", "all", "--retain", "0");
  // The second version of nb has only a stopped container; nb and staging run the first.
  expect(await images("nb")).toBe("latest v1-rc1 ");
  expect(await images("nb-two")).toMatch(/_uncommitted_\S+ latest v1-rc1 $/);
});

test("after the removal of one the others and Traefik keep serving", async () => {
  await alone("nb", "remove", "-y");
  expect(await serves("nb staging")).toBe("v1-rc1");
  expect(await images("nb")).toBe("latest v1-rc1 ");
  await alone("nb staging", "app", "stop");
  await alone("nb staging", "app", "start");
  expect(await serves("nb staging")).toBe("v1-rc1");
  await did("nb staging", "remove", "-y");
  expect(await images("nb")).toBe("");
  expect(await serves("nb-two")).toMatch(/_uncommitted_/);
  await did("nb-two", "remove", "-y");
  expect(await onServer(SERVER, "docker ps -aq; ls -d .mrsk 2>/dev/null || true")).toBe("");
});
