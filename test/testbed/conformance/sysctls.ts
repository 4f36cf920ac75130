/** Kernel settings belong to one host, and a refusal says why. */
import { describe, expect, it } from 'vitest';
import type { OpenTestbed } from '../open.js';

export function sysctlPromises(testbed: () => OpenTestbed): void {
  describe('a sysctl', () => {
    it('of the plan is set before anything runs', async () => {
      // The file separates them by a tab.
      expect((await testbed().host('buyers[1]').sysctl('net.ipv4.ip_local_port_range')).split(/\s+/)).toEqual([
        '30000',
        '30999',
      ]);
      expect(await testbed().host('edge').sysctl('net.ipv4.ip_forward')).toBe('1');
    });

    it('is set on one host alone', async () => {
      const name = 'net.ipv4.tcp_fin_timeout';
      const before = await testbed().host('shop[1]').sysctl(name);
      await testbed().host('shop[0]').setSysctl(name, '7');
      expect(await testbed().host('shop[0]').sysctl(name)).toBe('7');
      expect(await testbed().host('shop[1]').sysctl(name)).toBe(before);
      expect((await testbed().host('shop[0]').run(['cat', '/proc/sys/net/ipv4/tcp_fin_timeout'])).stdout).toBe('7\n');
    });

    it.each([
      ['net.ipv4.nonsense', '1', 'no such setting'],
      ['net.ipv4.ip_local_port_range', '9 1', 'refuses this value'],
      ['net.netfilter.nf_conntrack_max', '5', 'whole machine'],
    ])('%s = %s is refused with the reason', async (name, value, reason) => {
      const refusal = { where: 'edge', exitCode: 3, message: expect.stringContaining(reason) };
      await expect(testbed().host('edge').setSysctl(name, value)).rejects.toMatchObject(refusal);
      await expect(testbed().host('edge').setSysctl(name, value)).rejects.toMatchObject({
        message: expect.stringContaining(`${name} = ${value}`),
      });
    });

    it('that is not there cannot be read', async () => {
      const refusal = { where: 'edge', exitCode: 3, message: expect.stringContaining('net.ipv4.nonsense') };
      await expect(testbed().host('edge').sysctl('net.ipv4.nonsense')).rejects.toMatchObject(refusal);
    });
  });
}
