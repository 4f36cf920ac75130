/** A table of SYNs has those that it was made of, and no other, whatever their numbers. */
import { describe, expect, it } from 'vitest';
import { hasSyn, synTable, synTableOf } from '../../src/observe/syn-table.js';
import { ipToNumber } from '../../src/sys/ip.js';

const [ONE, OTHER, STRANGER] = ['198.18.0.2', '198.18.255.254', '198.18.0.3'].map(ipToNumber);

describe('a table of SYNs', () => {
  const table = synTable(Uint32Array.of(OTHER, ONE, ONE, OTHER), Uint32Array.of(7, 0xffff_ffff, 0, 7));

  it('has each by its sender and number', () => {
    expect([hasSyn(table, OTHER, 7), hasSyn(table, ONE, 0xffff_ffff), hasSyn(table, ONE, 0)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('has no other: neither the number of another sender nor one next to it', () => {
    const others: [number, number][] = [
      [ONE, 7],
      [OTHER, 0],
      [OTHER, 6],
      [OTHER, 8],
      [ONE, 1],
      [STRANGER, 7],
    ];
    expect(others.filter(([address, sequence]) => hasSyn(table, address, sequence))).toEqual([]);
    expect(hasSyn(synTableOf(new Set()), ONE, 0)).toBe(false);
  });

  it('is the same by names', () => {
    expect(synTableOf(new Set(['198.18.0.2:0', '198.18.255.254:7']))).toEqual(
      synTable(Uint32Array.of(ONE, OTHER), Uint32Array.of(0, 7)),
    );
  });
});
