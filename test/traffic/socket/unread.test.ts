/** The line of connections with something left to read: first come, first served, each once, whatever is closed and opened again meanwhile. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unreadLine } from '../../../src/traffic/socket/unread.js';

const DESCRIPTORS = 5;
const step = fc.record({
  does: fc.constantFrom('add', 'add', 'leaveOut', 'next'),
  fd: fc.nat(DESCRIPTORS - 1),
});

it('is the same as a list without doubles', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const line = unreadLine(DESCRIPTORS);
      const list: { fd: number; waits: boolean }[] = [];
      for (const { does, fd } of steps) {
        const place = list.find((one) => one.fd === fd);
        if (does === 'add') {
          line.add(fd);
          if (place === undefined) list.push({ fd, waits: true });
          else place.waits = true;
        } else if (does === 'leaveOut') {
          line.leaveOut(fd);
          if (place !== undefined) place.waits = false;
        } else if (list.length > 0) {
          const first = list.shift()!;
          expect(line.next()).toBe(first.waits ? first.fd : -1);
        }
        expect(line.length).toBe(list.length);
        expect(line.has(fd)).toBe(list.some((one) => one.fd === fd && one.waits));
      }
    }),
  );
});
