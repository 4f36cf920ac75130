import { describe, expect, it } from 'vitest';
import { coresFor, placeOn, sendingCore, watchingCores } from '../../src/run/placement.js';
import { coresText, parseCores } from '../../src/sys/cores.js';

describe('the placement of a run', () => {
  it.each([
    [[0, 1], { harness: [0], proxies: [1], servers: [1] }],
    [[2, 5, 7], { harness: [2], proxies: [5], servers: [7] }],
    [[0, 1, 2, 3], { harness: [0, 1], proxies: [2], servers: [3] }],
    [[0, 1, 2, 3, 4, 5, 6], { harness: [0, 1], proxies: [2, 3, 4], servers: [5, 6] }],
  ])('on cores %j', (cores, placement) => {
    expect(placeOn(cores)).toEqual(placement);
  });

  it('is impossible on one core', () => {
    expect(placeOn([3])).toBeUndefined();
  });

  it.each([
    [[4, 5], undefined, [4]],
    [[4, 5, 6, 7], 4, [5]],
  ])('on cores %j gives the sending thread a core to itself where there are enough', (cores, sending, watching) => {
    const placement = placeOn(cores)!;
    expect(sendingCore(placement)).toBe(sending);
    expect(watchingCores(placement)).toEqual(watching);
  });

  it('puts an attacker, which sends, beside the generator', () => {
    const placement = placeOn([0, 1, 2])!;
    expect((['client', 'L7', 'server'] as const).map((layer) => coresFor({ layer }, placement))).toEqual([
      [0],
      [1],
      [2],
    ]);
  });
});

it('lists of cores are read and written as the kernel does', () => {
  expect(parseCores('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(coresText([10, 0, 1, 2, 3, 8, 11])).toBe('0-3,8,10-11');
});
