import { HostsFailedError, InterruptedError } from "../errors.ts";

/**
 * Runs `work` on every host at once. All of them settle before this returns or throws, so nothing is still running when
 * the lock is released.
 * @throws HostsFailedError naming each failed host; InterruptedError when that is all that went wrong
 */
export async function onHosts<H extends { readonly name: string }, T>(
  hosts: readonly H[],
  work: (host: H) => Promise<T>,
): Promise<T[]> {
  const results = await Promise.allSettled(hosts.map(work));
  const failures = results.flatMap((result, i) =>
    result.status === "rejected" ? [{ host: hosts[i]!.name, reason: result.reason as unknown }] : [],
  );
  if (failures.length > 0) {
    if (failures.every(({ reason }) => reason instanceof InterruptedError)) throw new InterruptedError();
    throw new HostsFailedError(failures);
  }
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}
