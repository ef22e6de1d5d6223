// What every benchmark here shares: how a run is timed, how figures are printed.
import { spawn, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const mrsk = join(root, "bin/mrsk.cjs");

export const environment = { ...process.env };
// Loading extra certificates costs every start of Node the same 30 ms and more, and hides what is measured.
delete environment.NODE_EXTRA_CA_CERTS;

export const round = (number, digits = 2) => Math.round(number * 10 ** digits) / 10 ** digits;

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Medians in milliseconds of commands whose runs take turns, so that other load meets all alike. */
export function interleaved(commands, runs, cwd = root) {
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

const REPORT_MEMORY = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => process.stderr.write(`\\nRSS ${process.resourceUsage().maxRSS} ${process.resourceUsage().userCPUTime}\\n`));',
)}`;

/**
 * Runs mrsk once: seconds of wall clock, megabytes of the largest resident size, and when each announcement came.
 * @throws Error with everything it printed when it fails
 */
export function runMrsk(words, { cwd, env = environment } = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn("node", ["--import", REPORT_MEMORY, mrsk, ...words], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const marks = [];
    let text = "";
    child.stdout.on("data", (bytes) => (text += bytes));
    child.stderr.on("data", (bytes) => {
      text += bytes;
      for (const line of String(bytes).split("\n"))
        if (/^\S.*\.\.\.$/.test(line)) marks.push({ line: line.replace("...", ""), at: performance.now() - started });
    });
    child.on("close", (status) => {
      const milliseconds = performance.now() - started;
      if (status !== 0) return reject(new Error(`mrsk ${words.join(" ")} ended with ${status}\n${text.slice(-4000)}`));
      const [, kilobytes, cpu] = /RSS (\d+) (\d+)/.exec(text) ?? [];
      resolve({ milliseconds, megabytes: Number(kilobytes) / 1024, cpuMilliseconds: Number(cpu) / 1000, marks, text });
    });
  });
}
