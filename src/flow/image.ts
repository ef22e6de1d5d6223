import { pull } from "../commands/build.ts";
import { type Shell, sh } from "../script/command.ts";
import { checkImage } from "../commands/image.ts";
import { image } from "../commands/names.ts";
import { networkSteps } from "../commands/network.ts";
import { withLogin } from "../commands/registry.ts";
import { type Captured, capture, script, type Step, step } from "../script/script.ts";
import { CommandFailedError, ExitCode, MrskError, UsageError } from "../errors.ts";
import { parseFacts, withImage } from "../observe/facts.ts";
import type { ScriptResult } from "../hosts/host.ts";
import { changingSteps, imageSteps, observationSteps } from "../observe/observation.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import type { HostFacts } from "../plan/facts.ts";
import { outcome } from "./audit.ts";
import { questionFor } from "./observe.ts";
import { explained, isUnauthorized, loginStep } from "./registry.ts";
import { appHosts, type Run } from "./run.ts";
import { ExitStatus } from "../script/exit-status.ts";

/** Ids of steps. */
const PULL = "pull";
const CHECK = "check-image";

/** What was seen of the hosts, and whether that was long enough ago for them to have changed. */
export interface Seen {
  readonly facts: ReadonlyMap<string, HostFacts>;
  readonly old: boolean;
}

/**
 * The image on every app host: pull, a login first where the stored one does not serve, and a look at what came. What a
 * host had stays there, whatever happens. One round trip per host.
 * @param seen without it the hosts are looked at in the same script
 * @returns what is known of each host then, for what comes next
 */
export async function fetchImage(run: Run, version: string, seen?: Seen): Promise<Map<string, HostFacts>> {
  const line = await outcome(run, `Pulled image with version ${version}`);
  const question = questionFor(run, version);
  const inspect = !seen ? observationSteps : seen.old ? changingSteps : imageSteps;
  const pulling = await pullOrLogin(run, version);
  const results = await fetchWith(run, version, pulling, {
    pulled: [line],
    after: (base) => inspect(question, base),
    facts: seen?.facts,
  });
  const factsOf = (host: string, result: ScriptResult) => {
    const before = seen?.facts.get(host);
    return before && !seen?.old ? withImage(before, result) : parseFacts(host, result, before);
  };
  return new Map(results.map(({ host, result }) => [host, factsOf(host, result)]));
}

/** The image on every app host, pulled only where it is not. @throws UsageError when the registry has none either */
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
      return { host: host.name, result: await explained(run, fetching) };
    } catch (error) {
      throw error instanceof CommandFailedError ? pullErrorOf(run, image(run.config, version), error) : error;
    }
  });
}

function pullErrorOf(run: Run, name: string, error: CommandFailedError): MrskError {
  if (error.stepId === PULL) return pullExplained(name, error);
  if (error.stepId === CHECK && error.status === ExitStatus.NO_LABEL) return labelExplained(run, name, error);
  if (error.stepId === CHECK && error.status === ExitStatus.OTHER_ARCHITECTURE) {
    const [built, host] = error.output.trim().split(" ");
    return wrongArchitecture(error, `${error.host}: image ${name} is built for ${built}, and this host is ${host}`);
  }
  return error;
}

function labelExplained(run: Run, name: string, error: CommandFailedError): MrskError {
  const { service } = run.config;
  const other = error.output.trim();
  const has = other === "" ? "is missing the 'service' label" : `has the label service=${other}, not ${service}`;
  return new MrskError(ExitCode.remote, `${error.host}: Image ${name} ${has}`, {
    hint: `Pruning and removing find images by it. Where the image is built, add \`--label service=${service}\` to docker build, or \`LABEL service=${service}\` to the Dockerfile.`,
    cause: error,
  });
}

function wrongArchitecture(error: CommandFailedError, message: string): MrskError {
  return new MrskError(ExitCode.remote, message, {
    hint: "Build for the hosts' architecture: without builder.multiarch: false for both, or for one with builder.local.arch or builder.remote.",
    cause: error,
  });
}

function pullExplained(name: string, error: CommandFailedError): MrskError {
  const { host, output } = error;
  if (/no matching manifest/i.test(output)) return wrongArchitecture(error, `${host}: ${name}: ${output}`);
  if (/manifest unknown|not found/i.test(output)) {
    return new UsageError(`${host}: the registry has no image ${name}`, {
      hint: "Build it first (`mrsk build push`), or name a version that was built with --version, in full where no server has it.",
      cause: error,
    });
  }
  if (isUnauthorized(output)) {
    return new MrskError(ExitCode.remote, error.message, {
      hint: "The login was taken, but not for this image: check its name, and what registry/username may read.",
      cause: error,
    });
  }
  return error;
}
