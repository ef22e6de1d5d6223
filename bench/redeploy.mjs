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

/** What a person would type for the same change: build, push, and over one ssh pull, run and stop. Milliseconds. */
function byHand(folder, variables, host, service, version, before) {
  const image = `${variables.LAB_REGISTRY}/lab/${service}`;
  const started = performance.now();
  const run = (program, ...words) => {
    const { status, stderr } = spawnSync(program, words, { cwd: folder, env: environment });
    if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${stderr}`);
  };
  run(
    "docker",
    "build",
    "-q",
    "-t",
    `${image}:${version}`,
    "-t",
    `${image}:latest`,
    "--label",
    `service=${service}`,
    ".",
  );
  run("docker", "push", "-q", `${image}:${version}`);
  run("docker", "push", "-q", `${image}:latest`);
  const remote = [
    `docker pull -q ${image}:${version}`,
    `docker run -d --restart unless-stopped --name hand-${version} --health-cmd 'curl -f http://localhost:3000/up || exit 1' --health-interval 1s ${image}:${version}`,
    ...(before ? [`docker stop hand-${before}`] : []),
    `docker tag ${image}:${version} ${image}:latest`,
  ];
  run(...ssh(folder, variables, host), remote.join(" && "));
  return performance.now() - started;
}

/** @param server letter of a lab server */
async function against(server) {
  const variables = lab();
  const host = variables[`LAB_${server.toUpperCase()}`];
  const folder = project(variables, host, "bench");
  const engine = spawnSync(ssh(folder, variables, host)[0], [
    ...ssh(folder, variables, host).slice(1),
    "docker version -f '{{.Server.Version}}'",
  ]);
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
      hands.push(byHand(folder, variables, host, "bench", version, before));
      before = version;
      change(folder, `by mrsk ${turn}`);
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
  return { engine: String(engine.stdout).trim(), hand: median(hands), ours: median(ours), marks, total };
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
    const { engine, hand, ours, marks, total } = await against(server);
    rows[`Engine ${engine}`] = {
      "by hand, s": round(hand / 1000),
      "mrsk redeploy, s": round(ours / 1000),
      ratio: round(ours / hand),
    };
    phases(engine, marks, total);
  }
  console.log(
    `A redeploy with one changed line, against build, push, pull, run and stop by hand (medians of ${ROUNDS})`,
  );
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
