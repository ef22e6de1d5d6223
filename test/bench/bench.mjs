// Compares two things in one run and prints ratios: absolute times say little about another machine.
//   npm run bench              start-up and memory, many hosts, a long line, a bastion (needs sshd; as root it adds a user)
//   npm run bench -- --lab     and, with the lab up (test/lab/lab up), the first remote command and a redeploy
//   npm run bench -- start-up  one of: start-up, fleet, line, bastion, first, redeploy
//   npm run bench -- fleet 1 1000
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fleet } from "./farm.mjs";
import { environment, interleaved, mrsk, root, round } from "./measure.mjs";
import { bastion, longLine } from "./network.mjs";
import { firstCommand, redeploy } from "./redeploy.mjs";

const CONFIG = ["config", "-c", join(root, "test/fixtures/examples/01-minimal.yml"), "--version", "1"];

function startUp() {
  const work = {
    "node -e 0": ["node", "-e", "0"],
    "mrsk version": ["node", mrsk, "version"],
    "mrsk --help": ["node", mrsk, "--help"],
    "mrsk config": ["node", mrsk, ...CONFIG],
  };
  const [bare, ...others] = interleaved(Object.values(work), 31);
  console.log("Start-up (medians of 31 runs, taking turns)");
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
  const bare = measure(["-e", "0"]);
  const used = measure([mrsk, ...CONFIG]);
  console.log("Memory (largest resident size)");
  console.table({
    "node -e 0": { MB: round(bare), ratio: 1 },
    "mrsk config": { MB: round(used), ratio: round(used / bare) },
  });
}

const parts = {
  "start-up": () => {
    startUp();
    memory();
  },
  fleet,
  line: longLine,
  bastion,
  first: firstCommand,
  redeploy,
};
const IN_THE_LAB = ["first", "redeploy"];

const [asked, ...rest] = process.argv.slice(2);
if (asked !== undefined && asked in parts) {
  const numbers = rest.map(Number);
  await parts[asked](...(numbers.length === 0 ? [] : [numbers]));
} else {
  for (const [name, part] of Object.entries(parts)) {
    if (asked === "--lab" || !IN_THE_LAB.includes(name)) await part();
  }
}
