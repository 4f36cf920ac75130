/** What cannot be had is refused by name, and nothing of the chain is left then. */
import { describe, expect, it } from 'vitest';
import type { Bench } from '../open.js';

const PAIR = { buyers: { kind: 'client', to: 'shop' }, shop: { kind: 'fixed' } };

export function refusalPromises(bench: () => Bench): void {
  describe('a testbed that cannot be built', () => {
    it.each([
      ['net.ipv4.nonsense', 1, 'no such setting'],
      ['net.ipv4.ip_local_port_range', '9 1', 'refuses this value'],
    ])('for %s = %s says so, and leaves nothing', async (name, value, reason) => {
      const before = await bench().left();
      const topology = { ...PAIR, buyers: { ...PAIR.buyers, sysctls: { [name]: value } } };
      const refusal = { where: 'buyers', exitCode: 3, message: expect.stringContaining(reason) };
      await expect(bench().build(topology)).rejects.toMatchObject(refusal);
      expect(await bench().left()).toEqual(before);
    });
  });
}
