/** When a row of trials will have ended: by what is planned of each, and how much more than that the ones before have taken. */

/** What a trial takes beside its arrivals (building, starting, waiting for answers, reading logs), before one was timed, ms. */
const OVERHEAD_MS = 5000;

/** The time of day, `21:43`. `plannedMs` has all trials, those that have ended first, and `tookMs` those that have ended. */
export function endsAbout(plannedMs: number[], tookMs: number[], now = Date.now()): string {
  const over = tookMs.map((took, index) => took - plannedMs[index]);
  const mean = over.length === 0 ? OVERHEAD_MS : over.reduce((sum, ms) => sum + ms, 0) / over.length;
  const leftMs = plannedMs.slice(tookMs.length).reduce((sum, ms) => sum + ms + mean, 0);
  return new Date(now + leftMs).toTimeString().slice(0, 5);
}
