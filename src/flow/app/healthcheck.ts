import { networkSteps } from "../../commands/network.ts";
import { AppCommands } from "../../commands/app.ts";
import { waitUntilHealthy } from "../../commands/waits.ts";
import { deadlineSeconds } from "../../commands/healthcheck.ts";
import { servicePrefix } from "../../config/names.ts";
import { script, step } from "../../script/script.ts";
import { sh } from "../../script/command.ts";
import { readDriver } from "../../commands/logging.ts";
import { CommandFailedError, UnhealthyError } from "../../errors.ts";
import { resolveRequestedVersion } from "../resolve-version.ts";
import type { Options } from "../../config/config.ts";
import { begin, type Run } from "../run.ts";
import { appSecrets } from "../secrets.ts";
import { ExitStatus } from "../../shell/exit-status.ts";

/** The id of the run that created the container. */
const RUN_LABEL = "mrsk.healthcheck";

/**
 * `healthcheck perform`: starts a container of the version without published ports and routes, waits until it is healthy,
 * and removes it.
 */
export async function performHealthcheck(run: Run): Promise<void> {
  const version = await resolveRequestedVersion(run);
  const { config } = run;
  const role = config.roles.find(({ name }) => name === config.primaryRole)!;
  const name = `healthcheck-${servicePrefix(config)}-${version}`;
  const app = new AppCommands(config, { ...role, options: unpublished(role.options) });
  const id = run.newId(12);
  begin(run, `Check that version ${version} becomes healthy...`);
  const logDriver = readDriver();
  const launch = app.run({
    name,
    version,
    host: config.primaryHost,
    suffix: id,
    labels: new Map([
      ["service", `healthcheck-${servicePrefix(config)}`],
      [RUN_LABEL, id],
    ]),
    secrets: await appSecrets(run, [role]),
    restart: "no",
    startInterval: false,
    logDriver: logDriver.output,
    healthcheck: true,
  });
  const deadline = deadlineSeconds(role.healthcheck, config.deployTimeoutSeconds);
  // Find it by label: another run may have created the container with that name.
  const removal = sh`mine=$(docker ps --all --quiet --filter ${`label=${RUN_LABEL}=${id}`}); [ -z "$mine" ] || docker rm -f $mine >/dev/null 2>&1`;
  const work = script(
    "Healthcheck",
    [
      ...networkSteps(config),
      logDriver,
      step("Start the container", launch),
      step("Wait until healthy", waitUntilHealthy(name, deadline, config.readinessDelaySeconds, role.logLines)),
    ],
    removal,
  );
  try {
    await run.host(config.primaryHost).run(work, { signal: run.signal });
    run.report({ kind: "note", host: config.primaryHost, text: "Container is healthy!" });
  } catch (error) {
    if (error instanceof CommandFailedError && error.status === ExitStatus.NOT_HEALTHY)
      throw new UnhealthyError(error.message, { cause: error });
    throw error;
  }
}

/** The role's options without published ports, which the running app uses. */
function unpublished(options: Options): Options {
  return new Map([...options].filter(([name]) => !["publish", "p", "publish-all", "P"].includes(name)));
}
