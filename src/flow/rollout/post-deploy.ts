import { hookAfterwards } from "../hook.ts";
import { type Run, timed } from "../run.ts";

/** What a command made live: the hosts that it acted on, and the version. */
export interface Deployed {
  readonly run: Run;
  readonly version: string;
}

/** Reports the whole time, also after a failure. Runs the `post-deploy` hook after a success, when the lock is free. */
export async function withPostDeploy(run: Run, work: () => Promise<Deployed>): Promise<Deployed> {
  const started = run.clock.now().getTime();
  const deployed = await timed(run, work);
  const seconds = Math.round((run.clock.now().getTime() - started) / 1000);
  await hookAfterwards(deployed.run, "post-deploy", deployed.version, { MRSK_RUNTIME: String(seconds) });
  return deployed;
}
