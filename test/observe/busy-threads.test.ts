/** How busy daemons were: the arithmetic, and the kernel's own word on a process that computes and one that sleeps. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { busiest, busyReader } from '../../src/observe/busy-threads.js';

const S = 1e9;
/** thread: [process, ran, waited], seconds. */
function reading(seconds: number, threads: Record<number, [pid: number, ran: number, waited: number]>) {
  const entries = Object.entries(threads).map(
    ([tid, [pid, ran, waited]]) => [Number(tid), { pid, ranNs: ran * S, waitedNs: waited * S }] as const,
  );
  return { timeNs: seconds * S, threads: new Map(entries) };
}

describe('the busiest of two readings', () => {
  it('is the thread that had most to do, whether it got a core for it or not', () => {
    const before = reading(1, { 10: [10, 5, 1], 11: [11, 0, 0] });
    const now = reading(3, { 10: [10, 6, 1.1], 11: [11, 0.4, 1.2] });
    expect(busiest(before, now, () => 8)).toEqual({
      ...{ fromNs: 1 * S, toNs: 3 * S, pid: 11, of: 'thread' },
      ran: expect.closeTo(0.2),
      waited: expect.closeTo(0.6),
    });
  });

  it('is the process that used most of its cores, where no thread of it stands out', () => {
    const before = reading(0, { 1: [1, 0, 0], 2: [1, 0, 0], 3: [1, 0, 0] });
    const now = reading(1, { 1: [1, 0.65, 0], 2: [1, 0.65, 0], 3: [1, 0.6, 0] });
    expect(busiest(before, now, () => 2)).toMatchObject({ of: 'process', ran: expect.closeTo(0.95) });
    expect(busiest(before, now, () => 8)).toMatchObject({ of: 'thread', ran: expect.closeTo(0.65) });
  });

  it('leaves out threads that began in between, and those of another process with the same number', () => {
    const before = reading(0, { 1: [1, 0, 0] });
    expect(busiest(before, reading(1, { 2: [1, 0.9, 0], 1: [7, 0.9, 0] }), () => 2)).toBeUndefined();
  });
});

describe('a process by the kernel', () => {
  function node(program: string): ChildProcess {
    const child = spawn(process.execPath, ['-e', `process.stdout.write('up'); ${program}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  async function spellOf(child: ChildProcess) {
    await once(child.stdout!, 'data');
    const read = busyReader(() => [child.pid!]);
    for (;;) {
      const spell = read(Number(process.hrtime.bigint()));
      if (spell !== undefined) return spell;
      await after(50);
    }
  }

  it('has work all the time while it computes, on however busy a machine', async () => {
    const { ran, waited, program } = await spellOf(node('for (;;);'));
    expect(program).toBe('node');
    expect(ran + waited).toBeGreaterThan(0.9);
  });

  it('has next to none while it waits', async () => {
    const { ran } = await spellOf(node('setInterval(() => {}, 1e6);'));
    expect(ran).toBeLessThan(0.5);
  });
});
