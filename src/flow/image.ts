import { pull } from "../commands/build.ts";
import { type Shell, sh } from "../script/command.ts";
import { checkImage } from "../commands/image.ts";
import { image } from "../config/names.ts";
import { networkSteps } from "../commands/network.ts";
import { withLogin } from "../commands/registry.ts";
import { type Captured, capture, script, type Step, step } from "../script/script.ts";
import { CommandFailedError, ExitCode, MrskError, UsageError } from "../errors.ts";
import { parseFacts, withImage } from "../observe/facts.ts";
import type { ScriptResult } from "../script/result.ts";
import { changingSteps, imageSteps, observationSteps } from "../observe/observation.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import type { HostFacts } from "../plan/facts.ts";
import { outcome } from "./audit.ts";
import { observeOptions } from "./observe.ts";
import { withRegistryErrors, isUnauthorized, loginStep } from "./registry.ts";
import { appHosts, type Run } from "./run.ts";
import { ExitStatus } from "../shell/exit-status.ts";

/** Ids of steps. */
const PULL = "pull";
const CHECK = "check-image";

/** Facts of the hosts from an earlier observation. */
export interface EarlierFacts {
  readonly facts: ReadonlyMap<string, HostFacts>;
  /** Whether the hosts may have changed since then. */
  readonly old: boolean;
}

/**
 * Pulls the image on every app host and checks it; logs in first if the stored login is refused. Changes nothing else
 * there. One round trip per host.
 * @param earlier without it, the same script observes the hosts
 * @returns the facts of each host after the pull
 */
export async function fetchImage(run: Run, version: string, earlier?: EarlierFacts): Promise<Map<string, HostFacts>> {
  const line = await outcome(run, `Pulled image with version ${version}`);
  const options = observeOptions(run, version);
  const inspect = !earlier ? observationSteps : earlier.old ? changingSteps : imageSteps;
  const pulling = await pullOrLogin(run, version);
  const results = await fetchWith(run, version, pulling, {
    pulled: [line],
    after: (base) => inspect(options, base),
    facts: earlier?.facts,
  });
  const factsOf = (host: string, result: ScriptResult) => {
    const before = earlier?.facts.get(host);
    return before && !earlier?.old ? withImage(before, result) : parseFacts(host, result, before);
  };
  return new Map(results.map(({ host, result }) => [host, factsOf(host, result)]));
}

/** Pulls the image on every app host that does not have it. @throws UsageError if the registry has no such image */
export async function ensureImage(run: Run, version: string): Promise<void> {
  const pulling = await pullOrLogin(run, version);
  const present = sh`docker image inspect ${image(run.config, version)} >/dev/null 2>&1`;
  await fetchWith(run, version, sh`${present} || { ${pulling}; }`);
}

async function pullOrLogin(run: Run, version: string): Promise<Shell> {
  return withLogin(pull(run.config, version), (await loginStep(run)).body);
}

async function fetchWith(
  run: Run,
  version: string,
  pulling: Shell,
  {
    pulled = [],
    after = () => [],
    facts,
  }: {
    pulled?: readonly Step[];
    after?: (base: Captured) => readonly Step[];
    facts?: ReadonlyMap<string, HostFacts> | undefined;
  } = {},
): Promise<{ host: string; result: ScriptResult }[]> {
  const stepsOn = (host: string) => {
    const checked = capture(CHECK, "Check the image", checkImage(run.config, version, facts?.get(host)?.architecture));
    return [
      step("Pull the image", pulling, PULL),
      ...pulled,
      checked,
      ...networkSteps(run.config),
      ...after(checked.output),
    ];
  };
  return onHosts(appHosts(run), async (host) => {
    try {
      const fetching = () => host.run(script("Fetch the image", stepsOn(host.name)), { signal: run.signal });
      return { host: host.name, result: await withRegistryErrors(run, fetching) };
    } catch (error) {
      throw error instanceof CommandFailedError ? fetchError(run, image(run.config, version), error) : error;
    }
  });
}

function fetchError(run: Run, name: string, error: CommandFailedError): MrskError {
  if (error.stepId === PULL) return pullError(name, error);
  if (error.stepId === CHECK && error.status === ExitStatus.NO_LABEL) return labelError(run, name, error);
  if (error.stepId === CHECK && error.status === ExitStatus.OTHER_ARCHITECTURE) {
    const [built, host] = error.output.trim().split(" ");
    return architectureError(error, `${error.host}: image ${name} is built for ${built}, but this host is ${host}`);
  }
  return error;
}

function labelError(run: Run, name: string, error: CommandFailedError): MrskError {
  const { service } = run.config;
  const other = error.output.trim();
  const has = other === "" ? "is missing the 'service' label" : `has the label service=${other}, not ${service}`;
  return new MrskError(ExitCode.remote, `${error.host}: Image ${name} ${has}`, {
    hint: `mrsk finds the images to prune and to remove by this label. To the command that builds the image, add \`--label service=${service}\`; or add \`LABEL service=${service}\` to the Dockerfile.`,
    cause: error,
  });
}

function architectureError(error: CommandFailedError, message: string): MrskError {
  return new MrskError(ExitCode.remote, message, {
    hint: "Build for the hosts' architecture: for both without builder.multiarch: false, or for one with builder.local.arch or builder.remote.",
    cause: error,
  });
}

function pullError(name: string, error: CommandFailedError): MrskError {
  const { host, output } = error;
  if (/no matching manifest/i.test(output)) return architectureError(error, `${host}: ${name}: ${output}`);
  if (/manifest unknown|not found/i.test(output)) {
    return new UsageError(`${host}: the registry has no image ${name}`, {
      hint: "Build it first (`mrsk build push`), or name a built version with --version: the whole version if no server has it.",
      cause: error,
    });
  }
  if (isUnauthorized(output)) {
    return new MrskError(ExitCode.remote, error.message, {
      hint: "The login succeeded, but has no access to this image: check the image's name, and the permissions of registry/username.",
      cause: error,
    });
  }
  return error;
}
