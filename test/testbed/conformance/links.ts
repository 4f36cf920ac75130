/** Hosts have the interfaces, addresses, neighbours and routes of the plan, and no others. */
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { hardwareAddress } from '../../../src/testbed/link-lines.js';
import type { PlannedHost } from '../../../src/topology/plan.js';
import type { OpenHost, OpenTestbed } from '../open.js';

/** `address:port` parts as the kernel prints them: a number of the machine's own byte order, little-endian here. */
function fromHex(text: string): string {
  const bytes = text.match(/../g)!.map((byte) => Number.parseInt(byte, 16));
  return bytes.reverse().join('.');
}

async function interfacesOf(host: OpenHost): Promise<Record<string, { cidr: string; mac: string }[]>> {
  const all = JSON.parse(
    await host.program('console.log(JSON.stringify(require("os").networkInterfaces()))'),
  ) as Record<string, NetworkInterfaceInfo[]>;
  return Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => name !== 'lo')
      .map(([name, infos]) => [
        name,
        infos.filter(({ family }) => family === 'IPv4').map(({ cidr, mac }) => ({ cidr: cidr!, mac })),
      ]),
  );
}

/** Routes as `destination via gateway`, `destination` as the file has it. */
async function routesOf(host: OpenHost): Promise<string[]> {
  const { stdout } = await host.run(['cat', '/proc/net/route']);
  return stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, destination, gateway] = line.split('\t');
      return `${fromHex(destination)} via ${fromHex(gateway)}`;
    })
    .sort();
}

export function linkPromises(testbed: () => OpenTestbed): void {
  const planned = (name: string): PlannedHost => testbed().plan.hosts.find((host) => host.name === name)!;

  describe('links', () => {
    it('join the hosts of the plan, in its order', () => {
      expect(testbed().names).toEqual(['buyers[0]', 'buyers[1]', 'edge', 'shop[0]', 'shop[1]']);
      expect(testbed().plan.hosts.map(({ name }) => name)).toEqual(testbed().names);
    });

    it('have the names and addresses of the plan, and hosts no others', async () => {
      for (const name of testbed().names) {
        const wanted = planned(name).interfaces.map((nic) => [
          nic.name,
          nic.addresses.map((address) => ({ cidr: `${address}/${nic.prefixLength}`, mac: hardwareAddress(nic) })),
        ]);
        expect(await interfacesOf(testbed().host(name))).toEqual(Object.fromEntries(wanted));
      }
    });

    it('are what the host`s own processes see, too', async () => {
      for (const name of testbed().names) {
        const { stdout } = await testbed().host(name).run(['cat', '/proc/net/dev']);
        const seen = [...stdout.matchAll(/^\s*(\S+):/gm)].map(([, nic]) => nic).filter((nic) => nic !== 'lo');
        expect(seen.sort()).toEqual(
          planned(name)
            .interfaces.map((nic) => nic.name)
            .sort(),
        );
      }
    });

    it('lead where the plan says, and nowhere else: no route leaves the testbed', async () => {
      for (const name of testbed().names) {
        const { interfaces, routes } = planned(name);
        const connected = interfaces.map(({ segment }) => {
          const [subnet] = testbed()
            .plan.segments.find((one) => one.name === segment)!
            .subnet.split('/');
          return `${subnet} via 0.0.0.0`;
        });
        const wanted = routes.map(({ destination, via }) => {
          const [subnet] = destination === 'default' ? ['0.0.0.0'] : destination.split('/');
          return `${subnet} via ${via}`;
        });
        expect(await routesOf(testbed().host(name))).toEqual([...connected, ...wanted].sort());
      }
    });

    it('know every neighbour across the segment from the start', async () => {
      const { stdout } = await testbed().host('edge').run(['cat', '/proc/net/arp']);
      // Address, hardware type, flags (0x6: complete and permanent), hardware address, mask, device.
      const permanent = stdout
        .split('\n')
        .map((line) => line.split(/\s+/))
        .filter(([, , flags]) => flags === '0x6')
        .map(([address, , , mac]) => `${address} ${mac}`);
      const across = ['buyers[0]', 'buyers[1]', 'shop[0]', 'shop[1]'].flatMap((name) =>
        planned(name).interfaces.flatMap((nic) => nic.addresses.map((address) => `${address} ${hardwareAddress(nic)}`)),
      );
      expect(permanent.sort()).toEqual(across.sort());
    });

    it('carry requests from end to end', async () => {
      const { listeners } = testbed().plan;
      await Promise.all(['edge', 'shop[0]', 'shop[1]'].map((name) => testbed().host(name).start()));
      for (const [from, to] of [
        ['buyers[0]', 'shop[0]'],
        ['buyers[1]', 'shop[1]'],
      ]) {
        const { address, port } = listeners[to];
        const program = `require('http').get('http://${address}:${port}/', ({ statusCode }) => { console.log(statusCode); process.exit(); })`;
        expect(await testbed().host(from).program(program)).toBe('200\n');
      }
    });

    it('can be entered by this process, or have an agent that is there already', () => {
      for (const name of testbed().names) {
        const { netns, hasAgent } = testbed().host(name);
        expect(netns === null).toBe(hasAgent);
      }
    });
  });
}
