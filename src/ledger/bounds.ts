/** A stretch of time that something is looked for in. */

/** Both ends are inside; ns since the run's start. */
export interface Bounds {
  fromNs: number;
  toNs: number;
}
