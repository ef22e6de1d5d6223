// Compares two things in one run and prints ratios: absolute times say little about another machine.
//   npm run bench              start-up, memory
//   npm run bench -- --lab     and, with the lab up (test/lab/lab up), the first remote command and one redeploy
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const mrsk = join(root, "bin/mrsk.cjs");
const environment = { ...process.env };
// Loading extra certificates costs every start of Node the same 30 ms and more, and hides what is measured.
delete environment.NODE_EXTRA_CA_CERTS;

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Medians in milliseconds of commands whose runs take turns, so that other load meets all alike. */
function interleaved(commands, runs, cwd = root) {
  const times = commands.map(() => []);
  for (let run = 0; run < runs; run++) {
    commands.forEach(([program, ...words], i) => {
      const started = performance.now();
      const { status, stderr } = spawnSync(program, words, { env: environment, cwd });
      if (status !== 0) throw new Error(`${program} ${words.join(" ")} ended with ${status}: ${stderr}`);
      times[i].push(performance.now() - started);
    });
  }
  return times.map(median);
}

function startUp() {
  const config = join(root, "test/fixtures/examples/01-minimal.yml");
  const work = {
    "node -e 0": ["node", "-e", "0"],
    "mrsk version": ["node", mrsk, "version"],
    "mrsk --help": ["node", mrsk, "--help"],
    "mrsk config": ["node", mrsk, "config", "-c", config, "--version", "1"],
  };
  const [bare, ...others] = interleaved(Object.values(work), 21);
  console.log("Start-up (medians of 21 runs, taking turns)");
  console.table(
    Object.fromEntries([
      ["node -e 0", { ms: round(bare), "over bare Node": 0, ratio: 1 }],
      ...others.map((time, i) => [
        Object.keys(work)[i + 1],
        { ms: round(time), "over bare Node": round(time - bare), ratio: round(time / bare) },
      ]),
    ]),
  );
}

function memory() {
  const measure = (words) => {
    const program = `process.on("exit", () => console.error("RSS", process.resourceUsage().maxRSS));`;
    const hook = `data:text/javascript,${encodeURIComponent(program)}`;
    const { stderr } = spawnSync("node", ["--import", hook, ...words], { env: environment, cwd: root });
    return Number(/RSS (\d+)/.exec(String(stderr))?.[1]) / 1024;
  };
  const config = join(root, "test/fixtures/examples/01-minimal.yml");
  const bare = measure(["-e", "0"]);
  const used = measure([mrsk, "config", "-c", config, "--version", "1"]);
  console.log("Memory (largest resident size)");
  console.table({
    "node -e 0": { MB: round(bare), ratio: 1 },
    "mrsk config": { MB: round(used), ratio: round(used / bare) },
  });
}

/** A project of the lab's app, deployed to server d. */
function labProject() {
  const lab = Object.fromEntries(
    readFileSync(join(root, "test/lab/.state/env"), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("=")),
  );
  const folder = mkdtempSync(join(tmpdir(), "mrsk-bench-"));
  cpSync(join(root, "test/lab/app"), folder, { recursive: true });
  mkdirSync(join(folder, "config"));
  writeFileSync(join(folder, "ssh_config"), `Host *\n  UserKnownHostsFile ${lab.LAB_KNOWN_HOSTS}\n`);
  writeFileSync(join(folder, ".env"), `MRSK_REGISTRY_PASSWORD=${lab.LAB_REGISTRY_PASSWORD}\n`);
  writeFileSync(
    join(folder, "config/deploy.yml"),
    JSON.stringify({
      service: "bench",
      image: "lab/bench",
      servers: [lab.LAB_D],
      registry: { server: lab.LAB_REGISTRY, username: lab.LAB_REGISTRY_USER, password: ["MRSK_REGISTRY_PASSWORD"] },
      builder: { multiarch: false },
      ssh: { keys: [lab.LAB_KEY], config: [join(folder, "ssh_config")] },
      boot: { watch: 0 },
    }),
  );
  return { folder, lab };
}

/** Runs mrsk and tells after how many milliseconds each announcement came. */
function timeline(folder, words) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn("node", [mrsk, ...words], {
      cwd: folder,
      env: environment,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const marks = [];
    let text = "";
    child.stderr.on("data", (bytes) => {
      text += bytes;
      for (const line of String(bytes).split("\n"))
        if (/^\S.*\.\.\.$/.test(line)) marks.push({ line, at: performance.now() - started });
    });
    child.on("close", (status) => {
      if (status !== 0) reject(new Error(text));
      else resolve({ marks, total: performance.now() - started });
    });
  });
}

async function inTheLab() {
  const { folder, lab } = labProject();
  const ssh = ["ssh", "-F", join(folder, "ssh_config"), "-i", lab.LAB_KEY, `root@${lab.LAB_D}`, "true"];
  const [openssh, first] = interleaved([ssh, ["node", mrsk, "server", "exec", "true"]], 9, folder);
  console.log("The first remote command on one host");
  console.table({
    "ssh host true": { ms: round(openssh), ratio: 1 },
    "mrsk server exec true": { ms: round(first), ratio: round(first / openssh) },
  });
  await timeline(folder, ["deploy", "--version", "one"]);
  writeFileSync(join(folder, "line.txt"), "changed");
  const { marks, total } = await timeline(folder, ["redeploy", "--version", "two"]);
  const ends = [...marks.slice(1).map(({ at }) => at), total];
  const phases = [
    ["start and configuration", marks[0].at],
    ...marks.map(({ line, at }, i) => [line.replace("...", ""), ends[i] - at]),
  ];
  console.log("One redeploy with one changed line, by phase");
  console.table(
    Object.fromEntries(
      phases.map(([name, ms]) => [name, { ms: round(ms), share: `${Math.round((ms / total) * 100)} %` }]),
    ),
  );
  spawnSync("node", [mrsk, "remove", "-y"], { cwd: folder, env: environment });
}

const round = (number) => Math.round(number * 100) / 100;

startUp();
memory();
if (process.argv.includes("--lab")) await inTheLab();
