/** Waiting for several things at once, where what is under way must end before anything is cleaned up. */

/** All results; at a failure waits for the others to end as well, then throws the first one in the order given. */
export async function allOrFirstError<T>(works: Promise<T>[]): Promise<T[]> {
  const ends = await Promise.allSettled(works);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ends.map((end) => (end as PromiseFulfilledResult<T>).value);
}
