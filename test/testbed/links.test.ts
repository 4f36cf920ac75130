import { describe, expect, it } from 'vitest';
import { hardwareAddress } from '../../src/testbed/link-lines.js';
import { linkScripts, needsFabric } from '../../src/testbed/netns/links.js';
import type { Plan, PlannedHost } from '../../src/topology/plan.js';

function host(name: string, nic: string, address: string, link?: { delay?: number; loss?: number }): PlannedHost {
  return {
    name,
    node: name,
    index: 0,
    kind: 'client',
    layer: 'client',
    spec: { link } as PlannedHost['spec'],
    interfaces: [{ name: nic, segment: 'shop', addresses: [address], prefixLength: 24 }],
    routes: [{ destination: 'default', via: '198.18.0.1' }],
    sysctls: [],
  };
}

function plan(...hosts: PlannedHost[]): Plan {
  const names = hosts.map(({ name }) => name);
  return {
    hosts,
    segments: [{ name: 'shop', subnet: '198.18.0.0/24', hosts: names }],
    targets: {},
    listeners: {},
    sources: {},
  };
}

const path = (name?: string) => `/ns/${name ?? 'fabric'}`;

describe('the scripts of the links', () => {
  const buyers = host('buyers', 'back0', '198.18.0.2');
  const shop = host('shop', 'front0', '198.18.0.1');

  it('make one cable for two hosts, whose ends differ in number', () => {
    expect(needsFabric(plan(buyers, shop))).toBe(false);
    expect(linkScripts(plan(buyers, shop), path, false).cables).toEqual([
      'link add back0 index 1179650 address 02:00:c6:12:00:02 netns /ns/buyers type veth peer name front0 index 1179649 address 02:00:c6:12:00:01 netns /ns/shop',
    ]);
  });

  it('give each host its address, its neighbours across the segment, and its route', () => {
    const other = host('others', 'back0', '198.18.0.3');
    expect(linkScripts(plan(buyers, other, shop), path, false).hosts.get('buyers')).toEqual([
      'link set lo up',
      'address add 198.18.0.2/24 dev back0',
      'link set back0 up',
      `neighbour replace 198.18.0.1 lladdr ${hardwareAddress(shop.interfaces[0])} dev back0 nud permanent`,
      'route add default via 198.18.0.1',
    ]);
  });

  it('delay and lose once per direction, between the hosts', () => {
    const far = host('far', 'back0', '198.18.0.2', { delay: 5, loss: 0.001 });
    expect(needsFabric(plan(far, shop))).toBe(true);
    const { tc, nft } = linkScripts(plan(far, shop), path, true).fabric;
    expect(tc).toHaveLength(2);
    for (const line of tc) expect(line).toMatch(/netem limit 100000 delay 5000us loss 0\.1%$/);
    expect(nft).toEqual([]);
  });

  it('lose by a rule where the kernel has no netem', () => {
    const far = host('far', 'back0', '198.18.0.2', { loss: 0.001 });
    const { tc, nft } = linkScripts(plan(far, shop), path, false).fabric;
    expect(tc).toEqual([]);
    expect(nft.join('\n')).toContain('numgen random mod 1000000 < 1000 drop');
  });
});
