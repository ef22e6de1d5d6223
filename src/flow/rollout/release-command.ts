import { stoppable } from "../../abort.ts";
import { words } from "../../commands/arguments.ts";
import { networkSteps } from "../../commands/network.ts";
import { removeReleases, runRelease } from "../../commands/release-command.ts";
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

/** @throws MrskError where its words cannot be told apart */
export function checkReleaseCommand({ release }: Config): void {
  if (release) words(release.command);
}

/**
 * `release` of deploy.yml, once, on the first selected host of its role, with the new version's image; left out, and told
 * so, where the filters leave no such host. Its output is shown as it comes.
 * @throws ReleaseFailedError when it fails or takes too long: nothing has been changed then
 */
export async function runReleaseCommand(run: Run, version: string): Promise<void> {
  const { release } = run.config;
  if (!release) return;
  const target = run.selection.app.find(({ roles }) => roles.some(({ name }) => name === release.role));
  if (!target) {
    const text = `The release command is left out: no selected host has the role ${release.role}`;
    run.report({ kind: "warning", text });
    return;
  }
  begin(run, `Run the release command on ${target.host}...`);
  const role = roleOn(target.roles.find(({ name }) => name === release.role)!, target.host);
  const secrets = await environmentSecrets(run, role.env, `env of role ${role.name}`);
  const remove = removeReleases(run.config);
  const work = script(
    "Release",
    [
      attempt("Remove what is left of an earlier one", remove),
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
  await shown(run, run.host(target.host), work, release);
}

/** The deadline is kept on this side: `timeout` over there would not end with the script. */
async function shown(run: Run, host: Host, work: Script, release: Release): Promise<void> {
  const show = (line: string) => run.report({ kind: "progress", host: host.name, text: `${host.name}  ${line}\n` });
  const output = lineByLine(show);
  await withDeadline(run, release.timeoutSeconds, async (signal, passed) => {
    try {
      await host.run(work, {
        signal,
        onOutput: ({ stepId, masked }) => void (stepId === STEP && output.add(masked)),
      });
    } catch (error) {
      throw explained(error, host.name, release, passed());
    } finally {
      output.end();
    }
  });
}

function explained(error: unknown, host: string, release: Release, late: boolean): unknown {
  if (late && error instanceof InterruptedError) {
    return new ReleaseFailedError(
      `${host}: the release command took longer than ${release.timeoutSeconds} s and was stopped. Nothing was changed.`,
      { hint: "release.timeout sets how long it may take.", cause: error },
    );
  }
  if (!(error instanceof CommandFailedError) || error.stepId !== STEP) return error;
  const said = error.output.trim();
  return new ReleaseFailedError(
    `${host}: the release command ended with exit status ${error.status}. Nothing was changed.${said ? `\n${said}` : ""}`,
    { cause: error },
  );
}

/** Work that is aborted with the run, or when the time is over; `passed` says whether it was for the time. */
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
