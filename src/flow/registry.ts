import { login as loginCommand, logout as logoutCommand } from "../commands/registry.ts";
import { script, type Step, step } from "../script/script.ts";
import { CommandFailedError, ConfigError, ExitCode, MrskError } from "../errors.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { appHosts, type Run } from "./run.ts";
import { registryCredentials } from "./secrets.ts";

/** Id of the step. */
const LOGIN_STEP = "log-in";

interface Scope {
  readonly skipLocal?: boolean;
  readonly skipRemote?: boolean;
}

/** `registry login`. */
export async function login(run: Run, { skipLocal = false, skipRemote = false }: Scope = {}): Promise<void> {
  const steps = [await loginStep(run)];
  const hosts = [...(skipLocal ? [] : [run.local]), ...(skipRemote ? [] : appHosts(run))];
  await onHosts(hosts, (host) =>
    withRegistryErrors(run, () => host.run(script("Log in", steps), { signal: run.signal })),
  );
}

/** `registry logout`. */
export async function logout(run: Run, { skipLocal = false, skipRemote = false }: Scope = {}): Promise<void> {
  const steps = [step("Log out of the registry", logoutCommand(run.config.registry))];
  const hosts = [...(skipLocal ? [] : [run.local]), ...(skipRemote ? [] : appHosts(run))];
  await onHosts(hosts, (host) => host.run(script("Log out", steps)));
}

/** @param path of the registry's section @throws ConfigError for a registry without a login */
export async function loginStep(run: Run, registry = run.config.registry, path = "registry"): Promise<Step> {
  if (registry.isLocal) throw new ConfigError([`${run.config.file}: ${path}: ${registry.server} has no login`]);
  const { username, password } = await registryCredentials(run, registry, path);
  return step("Log in to the registry", loginCommand(registry, username, password), LOGIN_STEP);
}

/** Whether docker failed because the registry refused the stored login, or there is none. */
export function isUnauthorized(output: string): boolean {
  return /no basic auth|unauthorized|authentication required|denied/i.test(output);
}

/** Whether docker failed because it could not reach the registry. */
export function isUnreachable(output: string): boolean {
  return /connection refused|no such host|no route to host|timeout|deadline exceeded|server misbehaving/i.test(output);
}

/** Turns the error of a refused login or an unreachable registry into a message with a hint. */
export async function withRegistryErrors<T>(run: Run, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    const refused = error.stepId === LOGIN_STEP && isUnauthorized(error.output);
    const registry = run.config.registry.server ?? "Docker Hub";
    if (isUnreachable(error.output)) {
      throw new MrskError(ExitCode.remote, `${error.host}: the registry ${registry} does not answer\n${error.output}`, {
        hint: "Nothing was changed: the app keeps running, and `mrsk rollback` needs no registry. Try again when the registry answers.",
        cause: error,
      });
    }
    const elsewhere = /Get ".*\/v2\/": unauthorized|login attempt to \S+ failed with status: 401/i;
    if (!refused && !elsewhere.test(error.output)) throw error;
    throw new MrskError(ExitCode.remote, `${error.host}: ${registry} refuses the login\n${error.output}`, {
      hint: `Check registry/username and registry/password in ${run.config.file}, and their values in .env.`,
      cause: error,
    });
  }
}
