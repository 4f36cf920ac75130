/** Descriptors in the order in which they fell idle: a linked list in two arrays, O(1) to add, to remove and to find the oldest. */

/** Idle descriptors; times are ms on a clock of the caller's that never goes back. */
export interface IdleList {
  /** Puts a descriptor at the end, with the moment since which it is idle; moves it there when it is listed. */
  add(fd: number, sinceMs: number): void;
  /** Takes it out; nothing happens when it is not listed. */
  remove(fd: number): void;
  /** The one that is idle for longest, -1 when there is none. */
  oldest(): number;
  /** Since when the oldest is idle, ms; Infinity when there is none. */
  oldestSinceMs(): number;
}

/** An empty list; its arrays grow with the highest descriptor. */
export function idleList(): IdleList {
  const before: number[] = [];
  const after: number[] = [];
  const since: number[] = [];
  const listed: boolean[] = [];
  let first = -1;
  let last = -1;

  function remove(fd: number): void {
    if (!listed[fd]) return;
    listed[fd] = false;
    if (before[fd] < 0) first = after[fd];
    else after[before[fd]] = after[fd];
    if (after[fd] < 0) last = before[fd];
    else before[after[fd]] = before[fd];
  }

  return {
    add(fd, sinceMs) {
      remove(fd);
      listed[fd] = true;
      since[fd] = sinceMs;
      before[fd] = last;
      after[fd] = -1;
      if (last < 0) first = fd;
      else after[last] = fd;
      last = fd;
    },
    remove,
    oldest: () => first,
    oldestSinceMs: () => (first < 0 ? Number.POSITIVE_INFINITY : since[first]),
  };
}
