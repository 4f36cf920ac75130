import { expect, it } from 'vitest';
import { idleList } from '../../src/servers/idle-list.js';
import { randomNumbers } from './random-numbers.js';

it('keeps descriptors in the order in which they fell idle, whatever is added, moved and removed', () => {
  const random = randomNumbers(3);
  const list = idleList();
  /** A Map keeps the order of insertion. */
  const reference = new Map<number, number>();
  for (let step = 0; step < 5000; step++) {
    const fd = random(20);
    reference.delete(fd);
    if (random(2) === 0) list.remove(fd);
    else {
      list.add(fd, step);
      reference.set(fd, step);
    }
    const [oldest, since] = reference.entries().next().value ?? [-1, Number.POSITIVE_INFINITY];
    expect([list.oldest(), list.oldestSinceMs()]).toEqual([oldest, since]);
  }
});
