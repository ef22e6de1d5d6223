// One host of the lab: the first remote command against OpenSSH, a redeploy against its own docker commands by hand, and
// where a redeploy's time goes.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment, interleaved, median, mrsk, root, round, runMrsk } from "./measure.mjs";

const ROUNDS = 5;

/** Variables of the lab. @throws Error when it is not up */
function lab() {
  const lines = readFileSync(join(root, "test/lab/.state/env"), "utf8").split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split("=")));
}

/** A project of the lab's app for one host, in a git repository. */
function project(variables, host, service) {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-bench-"));
  cpSync(join(root, "test/lab/app"), folder, { recursive: true });
  mkdirSync(join(folder, "config"));
  writeFileSync(join(folder, ".gitignore"), ".env\nssh_config\n");
  writeFileSync(join(folder, "ssh_config"), `Host *\n  UserKnownHostsFile ${variables.LAB_KNOWN_HOSTS}\n`);
  writeFileSync(join(folder, ".env"), `MRSK_REGISTRY_PASSWORD=${variables.LAB_REGISTRY_PASSWORD}\n`);
  writeFileSync(
    join(folder, "config/deploy.yml"),
    JSON.stringify({
      service,
      image: `lab/${service}`,
      servers: [host],
      registry: {
        server: variables.LAB_REGISTRY,
        username: variables.LAB_REGISTRY_USER,
        password: ["MRSK_REGISTRY_PASSWORD"],
      },
      builder: { multiarch: false },
      ssh: { keys: [variables.LAB_KEY], config: [join(folder, "ssh_config")] },
      boot: { watch: 0 },
    }),
  );
  git(folder, "init", "-q");
  return folder;
}

function git(folder, ...words) {
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
  return execFileSync("git", [...identity, ...words], { cwd: folder, encoding: "utf8" }).trim();
}

/** One changed line, committed. @returns the version */
function change(folder, text) {
  writeFileSync(join(folder, "line.txt"), text);
  git(folder, "add", "-A");
  git(folder, "commit", "-qm", text);
  return git(folder, "rev-parse", "HEAD");
}

function ssh(folder, variables, host) {
  return ["ssh", "-F", join(folder, "ssh_config"), "-i", variables.LAB_KEY, `root@${host}`];
}

/**
 * The docker commands of a redeploy by hand: build, push, and over one ssh pull, look at the image, run, wait until docker
 * calls the container healthy, move the restart policies, stop the old one, tag. Milliseconds, with and without the wait.
 * @param before the version that this replaces
 */
function byHand({ folder, variables, host, service, apiVersion }, version, before) {
  const image = `${variables.LAB_REGISTRY}/lab/${service}`;
  const started = performance.now();
  const run = (program, ...words) => {
    const { status, stdout, stderr } = spawnSync(program, words, { cwd: folder, env: environment });
    if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${stderr}`);
    return String(stdout);
  };
  const tags = ["-t", `${image}:${version}`, "-t", `${image}:latest`];
  run("docker", "build", "-q", ...tags, "--label", `service=${service}`, ".");
  run("docker", "push", "-q", `${image}:${version}`);
  run("docker", "push", "-q", `${image}:latest`);
  const health = "--health-cmd 'curl -f http://localhost:3000/up || exit 1' --health-interval 1s";
  const quick = apiVersion >= 1.44 ? "--health-start-period 28s --health-start-interval 200ms" : "";
  const said = run(
    ...ssh(folder, variables, host),
    `set -e
docker pull -q ${image}:${version}
docker image inspect -f '{{.Architecture}}' ${image}:${version}
docker run -d --restart no --name hand-${version} ${health} ${quick} ${image}:${version}
read -r began _ </proc/uptime
until [ "$(docker inspect -f '{{.State.Health.Status}}' hand-${version})" = healthy ]; do sleep 0.1; done
read -r ended _ </proc/uptime
docker update --restart unless-stopped hand-${version}
${before ? `docker update --restart no hand-${before}; docker stop hand-${before}` : ""}
docker tag ${image}:${version} ${image}:latest
echo "waited $began $ended"`,
  );
  const [, began, ended] = /waited (\S+) (\S+)/.exec(said);
  const all = performance.now() - started;
  return { all, working: all - (Number(ended) - Number(began)) * 1000 };
}

/** Longer than a connection of the old container counts as one that may be a stream: nobody redeploys every second. */
const REST_MILLISECONDS = 4000;
const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MILLISECONDS));

/** @param letter of a lab server */
async function against(letter) {
  const variables = lab();
  const host = variables[`LAB_${letter.toUpperCase()}`];
  const folder = project(variables, host, "bench");
  const spoken = spawnSync(ssh(folder, variables, host)[0], [
    ...ssh(folder, variables, host).slice(1),
    "docker version -f '{{.Server.Version}} {{.Server.APIVersion}}'",
  ]);
  const [engine, api] = String(spoken.stdout).trim().split(" ");
  const server = { folder, variables, host, service: "bench", apiVersion: Number(api) };
  const hands = [];
  const ours = [];
  let marks = [];
  let total = 0;
  try {
    change(folder, "first");
    await runMrsk(["deploy"], { cwd: folder });
    let before;
    for (let turn = 0; turn < ROUNDS; turn++) {
      const version = change(folder, `by hand ${turn}`);
      hands.push(byHand(server, version, before));
      before = version;
      change(folder, `by mrsk ${turn}`);
      await rest();
      const run = await runMrsk(["redeploy"], { cwd: folder });
      ours.push(run.milliseconds);
      ({ marks } = run);
      total = run.milliseconds;
    }
  } finally {
    spawnSync(ssh(folder, variables, host)[0], [
      ...ssh(folder, variables, host).slice(1),
      "docker ps -aq --filter name=hand- | xargs -r docker rm -f",
    ]);
    spawnSync("node", [mrsk, "remove", "-y"], { cwd: folder, env: environment });
    rmSync(folder, { recursive: true, force: true });
  }
  const hand = median(hands.map(({ all }) => all));
  const working = median(hands.map(({ working: one }) => one));
  return { engine, hand, working, ours: median(ours), marks, total };
}

/** The first remote command on one host, a whole process each. */
export function firstCommand() {
  const variables = lab();
  const host = variables.LAB_A;
  const folder = project(variables, host, "bench");
  const [openssh, first] = interleaved(
    [
      [...ssh(folder, variables, host), "true"],
      ["node", mrsk, "server", "exec", "true"],
    ],
    11,
    folder,
  );
  console.log("The first remote command on one host (medians of 11 runs, taking turns)");
  console.table({
    "ssh host true": { ms: round(openssh), ratio: 1 },
    "mrsk server exec true": { ms: round(first), ratio: round(first / openssh) },
  });
  rmSync(folder, { recursive: true, force: true });
}

/** A redeploy with one changed line against its own docker commands, on an old and a newer engine. */
export async function redeploy(servers = ["a", "b"]) {
  const rows = {};
  for (const server of servers) {
    const { engine, hand, working, ours, marks, total } = await against(server);
    rows[`Engine ${engine}`] = {
      "by hand, s": round(hand / 1000),
      "mrsk redeploy, s": round(ours / 1000),
      ratio: round(ours / hand),
      "by hand without the wait for health, s": round(working / 1000),
      "ratio to that": round(ours / working),
    };
    phases(engine, marks, total);
  }
  console.log(`A redeploy with one changed line, against its own docker commands by hand (medians of ${ROUNDS})`);
  console.table(rows);
}

function phases(engine, marks, total) {
  const ends = [...marks.slice(1).map(({ at }) => at), total];
  const parts = [["Start and configuration", marks[0].at], ...marks.map(({ line, at }, i) => [line, ends[i] - at])];
  console.log(`One redeploy by phase, Engine ${engine}`);
  console.table(
    Object.fromEntries(
      parts.map(([name, ms]) => [
        name.replace(/[0-9a-f]{40}/, "…"),
        { ms: round(ms, 0), share: `${Math.round((ms / total) * 100)} %` },
      ]),
    ),
  );
}
