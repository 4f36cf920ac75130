/** How tight a pool of ports is, in a word: the same on the terminal, in a page's text and pictures, and in its script. */

/** Nothing is left; it is nearly used up; there is room. */
export type PoolLevel = 'full' | 'tight' | 'easy';

/** From this share on a pool is nearly used up. */
const TIGHT = 0.8;

/** Of the share that is in use: 1 is all of it. */
export function poolLevel(share: number): PoolLevel {
  if (share >= 1) return 'full';
  return share >= TIGHT ? 'tight' : 'easy';
}
