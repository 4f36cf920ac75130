/** Wakes a function at planned moments on Node's event loop, closer than its whole milliseconds. */

/** From this distance on setTimeout() is too coarse: it rounds to whole milliseconds, mostly upwards. */
const SPIN_BELOW_NS = 2e6;

/** How it waits, for the generator's report. */
export const PACER_TIMER = 'setTimeout above 2 ms, setImmediate below';

export interface Pacer {
  /**
   * Sees to it that the function is called at `exactNs`, and not much later than `roughlyNs` (time-outs, where a millisecond
   * does not matter and spinning would only burn CPU). It may be called earlier, never twice for one arrangement.
   */
  arrange(exactNs: number, roughlyNs: number): void;
  cancel(): void;
}

/** Makes a pacer on the clock `now`, in nanoseconds. */
export function pacer(now: () => number, call: () => void): Pacer {
  let timeout: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  /** When it is going to wake up. */
  let wakeNs = Number.POSITIVE_INFINITY;

  function cancel(): void {
    clearTimeout(timeout);
    clearImmediate(immediate);
    wakeNs = Number.POSITIVE_INFINITY;
  }

  function wake(): void {
    wakeNs = Number.POSITIVE_INFINITY;
    call();
  }

  return {
    cancel,
    arrange(exactNs, roughlyNs) {
      const at = now();
      const spin = exactNs - at <= SPIN_BELOW_NS;
      const wantedNs = spin ? at : Math.min(exactNs - SPIN_BELOW_NS / 2, Math.max(roughlyNs, at) + 1e6);
      // Most arrangements come after one for an earlier moment: that one will look again.
      if (wakeNs <= wantedNs) return;
      cancel();
      wakeNs = wantedNs;
      if (spin) immediate = setImmediate(wake);
      else timeout = setTimeout(wake, Math.max(1, Math.floor((wantedNs - at) / 1e6)));
    },
  };
}
