/** `import { matchers } from 'portparty/vitest'`: the matchers, and their types for Vitest's `expect`. */
import type {} from 'vitest';
import type { HoldGatesOptions } from './matchers.js';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: declarations that merge have the same parameters, and theirs has this one
  interface Matchers<T = any> {
    /** Passes when the gates of the run's scenario hold, or those that are given. */
    toHoldGates(options?: HoldGatesOptions): void;
  }
}

export { type HoldGatesOptions, type MatcherResult, matchers } from './matchers.js';
