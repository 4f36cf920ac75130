/** `import { matchers } from 'portparty/jest'`: the matchers, and their types for Jest's global `expect` (`@types/jest`). */
import type { HoldGatesOptions } from './matchers.js';

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: declarations that merge have the same parameters, and theirs has this one
    interface Matchers<R, T = {}> {
      /** Passes when the gates of the run's scenario hold, or those that are given. */
      toHoldGates(options?: HoldGatesOptions): R;
    }
  }
}

export { type HoldGatesOptions, type MatcherResult, matchers } from './matchers.js';
