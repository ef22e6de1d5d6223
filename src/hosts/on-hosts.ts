import { stoppable } from "../abort.ts";
import { HostsFailedError, InterruptedError } from "../errors.ts";

/**
 * Runs `work` on all hosts in parallel. Waits for all of them before it returns or throws, so that nothing still runs when
 * the lock is released.
 * @throws HostsFailedError naming each failed host; InterruptedError if no host failed otherwise
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
    // A host that was interrupted because another one failed is no failure.
    throw new HostsFailedError(own);
  }
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}

/**
 * As `onHosts`, for work that is useless unless it succeeds on all hosts: the first failure interrupts it on the others.
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
