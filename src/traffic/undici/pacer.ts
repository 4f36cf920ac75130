/** Wakes a function at planned moments on Node's event loop, closer than its whole milliseconds. */
import { usleep } from '../../sys/libc.js';

/** Up to here the event loop's own timers do; they are whole milliseconds and come late by up to two. */
const FINE_BELOW_NS = 3e6;
const COARSE_MARGIN_NS = 2e6;
/** From here on no sleep is short enough: the kernel's timer slack is 50 us, and waking the loop takes its time as well. */
const SPIN_BELOW_NS = 0.1e6;

/** How it waits, for the generator's report. */
export const PACER_TIMER = 'setTimeout above 3 ms, usleep(3) on another thread below';

/** One wake-up at a time; a new arrangement replaces a later one. Times are those of the pacer's clock, ns. */
export interface Pacer {
  /**
   * Sees to it that the function is called at `exactNs`, and not much later than `roughlyNs` (time-outs, where a millisecond
   * does not matter). It may be called earlier, never twice for one arrangement.
   */
  arrange(exactNs: number, roughlyNs: number): void;
  /** Takes back what was arranged. */
  cancel(): void;
}

/** Makes a pacer on the clock `now`, in nanoseconds. */
export function pacer(now: () => number, call: () => void): Pacer {
  let timeout: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  /** Sleeps can't be cancelled: only the one with this number still counts. */
  let arrangement = 0;
  /** When it is going to wake up. */
  let wakeNs = Number.POSITIVE_INFINITY;

  function cancel(): void {
    clearTimeout(timeout);
    clearImmediate(immediate);
    arrangement++;
    wakeNs = Number.POSITIVE_INFINITY;
  }

  function wake(): void {
    cancel();
    call();
  }

  function sleep(ns: number): void {
    const own = arrangement;
    usleep.async(ns / 1000, () => {
      if (own === arrangement) wake();
    });
  }

  return {
    cancel,
    arrange(exactNs, roughlyNs) {
      const wantedNs = Math.min(exactNs, roughlyNs + 1e6);
      // Most arrangements come after one for an earlier moment: that one will look again.
      if (wakeNs <= wantedNs) return;
      cancel();
      wakeNs = wantedNs;
      const gapNs = wantedNs - now();
      // Spinning instead would be a little closer, and would take a core from the system under test.
      if (gapNs < SPIN_BELOW_NS) immediate = setImmediate(wake);
      else if (gapNs < FINE_BELOW_NS) sleep(gapNs - SPIN_BELOW_NS / 2);
      else timeout = setTimeout(wake, Math.floor((gapNs - COARSE_MARGIN_NS) / 1e6));
    },
  };
}
