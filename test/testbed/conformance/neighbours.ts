/** Several testbeds at a time, of the same plan even, are in nobody's way. */
import { describe, expect, it } from 'vitest';
import type { Bench, OpenTestbed } from '../open.js';

export function neighbourPromises(bench: () => Bench, testbed: () => OpenTestbed): void {
  describe('a second testbed', () => {
    it('of the same plan serves its own clients alone, and its end does not touch the first', async () => {
      const pair = { buyers: { kind: 'client', to: 'shop' }, shop: { kind: 'fixed' } };
      const [one, other] = await Promise.all([bench().build(pair), bench().build(pair)]);
      const ask = async (chain: OpenTestbed) => {
        const { address, port } = chain.plan.listeners.shop;
        return chain.host('buyers').program(`
          require('http').get('http://${address}:${port}/', ({ statusCode }) => { console.log(statusCode); process.exit(); })
            .on('error', ({ code }) => { console.log(code); process.exit(); })`);
      };
      await one.host('shop').start();
      expect(await ask(one)).toBe('200\n');
      expect(await ask(other)).toBe('ECONNREFUSED\n');
      await other.down();
      expect(await ask(one)).toBe('200\n');
      await one.down();
      expect((await testbed().host('buyers[0]').run(['echo', 'here'])).stdout).toBe('here\n');
    });
  });
}
