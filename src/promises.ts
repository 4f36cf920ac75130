/** Waiting for several things at once, where what is under way must end before anything is cleaned up. */
import { PortPartyError } from './errors.js';

/** All results; at a failure waits for the others to end as well, then throws the first one in the order given. */
export async function allOrFirstError<T>(works: Promise<T>[]): Promise<T[]> {
  const ends = await Promise.allSettled(works);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ends.map((end) => (end as PromiseFulfilledResult<T>).value);
}

/** Clears up after a failure and throws it; what fails in the clearing up is told behind it, and never in its place. */
export async function thenEnd(failure: unknown, clearUp: () => Promise<void>): Promise<never> {
  try {
    await clearUp();
  } catch (error) {
    if (failure instanceof PortPartyError)
      throw new PortPartyError(`${failure.message}; and clearing up failed: ${(error as Error).message}`, {
        exitCode: failure.exitCode,
        where: failure.where,
        hint: failure.hint,
        cause: failure.cause ?? failure,
      });
  }
  throw failure;
}
