import { stoppable } from "../../abort.ts";
import { words } from "../../commands/arguments.ts";
import { networkSteps } from "../../commands/network.ts";
import { removeReleaseContainers, runRelease } from "../../commands/release-command.ts";
import { attempt, type Script, script, step } from "../../script/script.ts";
import type { Config, Release } from "../../config/config.ts";
import { CommandFailedError, InterruptedError, ReleaseFailedError } from "../../errors.ts";
import type { Host } from "../../hosts/host.ts";
import { lineByLine } from "../../lines.ts";
import { outcome } from "../audit.ts";
import { roleOn } from "./role-phases.ts";
import { begin, type Run } from "../run.ts";
import { environmentSecrets } from "../secrets.ts";

/** Id of the step. */
const STEP = "release-command";

/** @throws MrskError if the command cannot be split into words */
export function checkReleaseCommand({ release }: Config): void {
  if (release) words(release.command);
}

/**
 * Runs `release` of deploy.yml once, in a container of the new version, on the first selected host of its role. Shows its
 * output as it comes. Skips it with a warning if the filters select no such host.
 * @throws ReleaseFailedError if it fails or exceeds its timeout, before anything is changed
 */
export async function runReleaseCommand(run: Run, version: string): Promise<void> {
  const { release } = run.config;
  if (!release) return;
  const target = run.selection.app.find(({ roles }) => roles.some(({ name }) => name === release.role));
  if (!target) {
    const text = `The release command is skipped: no selected host has the role ${release.role}`;
    run.report({ kind: "warning", text });
    return;
  }
  begin(run, `Run the release command on ${target.host}...`);
  const role = roleOn(target.roles.find(({ name }) => name === release.role)!, target.host);
  const secrets = await environmentSecrets(run, role.env, `env of role ${role.name}`);
  const remove = removeReleaseContainers(run.config);
  const work = script(
    "Release",
    [
      attempt("Remove the container of an earlier run", remove),
      ...networkSteps(run.config),
      step(
        "Run the release command",
        runRelease(run.config, role, { release, version, suffix: run.newId(12), secrets }),
        STEP,
      ),
      await outcome(run, `Ran the release command of version ${version}`, role.name),
    ],
    remove,
  );
  await runWithOutput(run, run.host(target.host), work, release);
}

/** mrsk keeps the deadline: `timeout` on the host would outlive the script. */
async function runWithOutput(run: Run, host: Host, work: Script, release: Release): Promise<void> {
  const show = (line: string) => run.report({ kind: "progress", host: host.name, text: `${host.name}  ${line}\n` });
  const output = lineByLine(show);
  await withDeadline(run, release.timeoutSeconds, async (signal, passed) => {
    try {
      await host.run(work, {
        signal,
        onOutput: ({ stepId, masked }) => void (stepId === STEP && output.add(masked)),
      });
    } catch (error) {
      throw releaseError(error, host.name, release, passed());
    } finally {
      output.end();
    }
  });
}

function releaseError(error: unknown, host: string, release: Release, late: boolean): unknown {
  if (late && error instanceof InterruptedError) {
    return new ReleaseFailedError(
      `${host}: the release command took longer than ${release.timeoutSeconds} s and was stopped. Nothing was changed.`,
      { hint: "release.timeout sets the limit.", cause: error },
    );
  }
  if (!(error instanceof CommandFailedError) || error.stepId !== STEP) return error;
  const output = error.output.trim();
  return new ReleaseFailedError(
    `${host}: the release command ended with exit status ${error.status}. Nothing was changed.${output ? `\n${output}` : ""}`,
    { cause: error },
  );
}

/** Work that aborts with the run, or at the deadline; `passed` returns whether the deadline has passed. */
function withDeadline(
  run: Run,
  seconds: number,
  work: (signal: AbortSignal, passed: () => boolean) => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  let late = false;
  return stoppable(run.signal, async (signal, stop) => {
    const wait = async () => {
      await run.clock.sleep(seconds, done.signal);
      if (done.signal.aborted || signal.aborted) return;
      late = true;
      stop();
    };
    void wait();
    try {
      await work(signal, () => late);
    } finally {
      done.abort();
    }
  });
}
