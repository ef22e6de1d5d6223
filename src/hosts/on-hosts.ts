import { stoppable } from "../abort.ts";
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
    const own = failures.filter(({ reason }) => !(reason instanceof InterruptedError));
    if (own.length === 0) throw new InterruptedError();
    // Who was interrupted because another failed has nothing to say.
    throw new HostsFailedError(own);
  }
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}

/**
 * As `onHosts`, for work that counts only where it is done on all: the first failure interrupts it on the others.
 * @param signal interrupts it everywhere
 */
export async function onHostsTogether<H extends { readonly name: string }>(
  hosts: readonly H[],
  signal: AbortSignal | undefined,
  work: (host: H, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await stoppable(signal, (enough, stop) =>
    onHosts(hosts, async (host) => {
      try {
        await work(host, enough);
      } catch (error) {
        stop();
        throw error;
      }
    }),
  );
}
