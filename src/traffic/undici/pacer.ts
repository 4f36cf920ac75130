/** Wakes a function at planned moments on Node's event loop, closer than its whole milliseconds. */

/** From this distance on setTimeout() is too coarse: it rounds to whole milliseconds, mostly upwards. */
const SPIN_BELOW_NS = 2e6;

/** How it waits, for the generator's report. */
export const PACER_TIMER = 'setTimeout above 2 ms, setImmediate below';

export interface Pacer {
  /**
   * Sees to it that the function is called at `exactNs`, and not much later than `roughlyNs` (time-outs, where a millisecond
   * does not matter and spinning would only burn CPU). Replaces what was arranged before.
   */
  arrange(exactNs: number, roughlyNs: number): void;
  cancel(): void;
}

/** Makes a pacer on the clock `now`, in nanoseconds. */
export function pacer(now: () => number, call: () => void): Pacer {
  let timeout: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;

  function cancel(): void {
    clearTimeout(timeout);
    clearImmediate(immediate);
  }

  return {
    cancel,
    arrange(exactNs, roughlyNs) {
      cancel();
      const at = now();
      if (exactNs - at <= SPIN_BELOW_NS) immediate = setImmediate(call);
      else {
        const waitMs = Math.min((exactNs - SPIN_BELOW_NS / 2 - at) / 1e6, (roughlyNs - at) / 1e6 + 1);
        if (waitMs < Number.POSITIVE_INFINITY) timeout = setTimeout(call, Math.max(1, Math.floor(waitMs)));
      }
    },
  };
}
