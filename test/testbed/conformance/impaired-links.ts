/** Links that lose or delay: in both directions, or refused by name. */
import { describe, expect, it } from 'vitest';
import type { Bench, OpenHost } from '../open.js';
import { until } from './until.js';

const PACKETS = 2000;

/** Sends datagrams to where nobody listens: the kernel counts what arrives and throws it away. */
async function arriving(from: OpenHost, to: OpenHost, address: string): Promise<number> {
  const count = async () => {
    const { stdout } = await to.run(['cat', '/proc/net/snmp']);
    return Number(/^Udp: \d+ (\d+)/m.exec(stdout)![1]);
  };
  await from.program(`
    const socket = require('dgram').createSocket('udp4');
    let left = ${PACKETS};
    const send = () => {
      if (left-- === 0) return socket.close();
      socket.send('x', 9000, '${address}', () => (left % 50 ? send() : setTimeout(send, 2)));
    };
    send();`);
  let last = 0;
  await until(async () => {
    const now = await count();
    const settled = now > 0 && now === last;
    last = now;
    return settled;
  });
  return last;
}

export function impairedLinkPromises(bench: () => Bench): void {
  describe('a link', () => {
    it('loses packets in both directions', async () => {
      const lossy = await bench().build({
        buyers: { kind: 'client', to: 'shop', link: { loss: '20%' } },
        shop: { kind: 'fixed' },
      });
      const [buyers, shop] = ['buyers', 'shop'].map((name) => lossy.host(name));
      const addressOf = (name: string) =>
        lossy.plan.hosts.find((host) => host.name === name)!.interfaces[0].addresses[0];
      const there = await arriving(buyers, shop, addressOf('shop'));
      const back = await arriving(shop, buyers, addressOf('buyers'));
      await lossy.down();
      // 1,600 on the average; eight standard deviations either way.
      for (const arrived of [there, back]) {
        expect(arrived).toBeGreaterThan(1450);
        expect(arrived).toBeLessThan(1750);
      }
    });

    it('delays where the kernel has netem, and is else refused by node and knob before anything is built', async () => {
      const delayed = { buyers: { kind: 'client', to: 'shop', link: { delay: '50ms' } }, shop: { kind: 'fixed' } };
      const refusal = await bench()
        .check(delayed)
        .catch((error) => error);
      if (refusal instanceof Error) {
        expect(refusal).toMatchObject({ where: 'topology.buyers.link.delay', exitCode: 3 });
        expect(refusal.message).toContain('netem');
        return;
      }
      const testbed = await bench().build(delayed);
      await testbed.host('shop').start();
      const { address, port } = testbed.plan.listeners.shop;
      const handshake = `const begin = performance.now();
        require('net').connect(${port}, '${address}', () => { console.log(performance.now() - begin); process.exit(); })`;
      const tookMs = Number(await testbed.host('buyers').program(handshake));
      await testbed.down();
      // There and back.
      expect(tookMs).toBeGreaterThan(100);
    });
  });
}
