/**
 * Deadlines that all lie the same span ahead, so the order of adding is the order of expiry: a ring of numbers, O(1) at both ends.
 * Their unit is that of whoever adds them.
 */

/** A queue of (time, subject, generation) with rising times. */
export interface DeadlineQueue {
  /** Adds a deadline; `time` must not be below the last one added. */
  add(time: number, subject: number, generation: number): void;
  /** Time of the first deadline, Infinity when empty. */
  first(): number;
  /** Subject of the first deadline; meaningless when empty. */
  subject(): number;
  /** Generation of the first deadline; meaningless when empty. */
  generation(): number;
  /** Removes the first. */
  remove(): void;
  /** Removes all. */
  clear(): void;
}

/** An empty queue; it doubles its ring when that is full. */
export function deadlineQueue(): DeadlineQueue {
  let capacity = 1024;
  let times = new Float64Array(capacity);
  let subjects = new Int32Array(capacity);
  let generations = new Int32Array(capacity);
  let head = 0;
  let size = 0;

  function grow(): void {
    const unroll = <A extends Float64Array | Int32Array>(from: A, to: A): A => {
      to.set(from.subarray(head), 0);
      to.set(from.subarray(0, head), capacity - head);
      return to;
    };
    times = unroll(times, new Float64Array(capacity * 2));
    subjects = unroll(subjects, new Int32Array(capacity * 2));
    generations = unroll(generations, new Int32Array(capacity * 2));
    head = 0;
    capacity *= 2;
  }

  return {
    add(time, subject, generation) {
      if (size === capacity) grow();
      const index = (head + size) & (capacity - 1);
      times[index] = time;
      subjects[index] = subject;
      generations[index] = generation;
      size++;
    },
    first: () => (size === 0 ? Number.POSITIVE_INFINITY : times[head]),
    subject: () => subjects[head],
    generation: () => generations[head],
    remove() {
      head = (head + 1) & (capacity - 1);
      size--;
    },
    clear() {
      size = 0;
    },
  };
}
