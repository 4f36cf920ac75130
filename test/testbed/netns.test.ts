import { describe, expect, it } from 'vitest';
import { runners, type SceneError, scene } from './scene.js';

const PAIR = { buyers: { kind: 'client', to: 'shop' }, shop: { kind: 'fixed' } };

interface Links {
  hosts: Record<string, [name: string, state: string, address: string][]>;
  statuses: Record<string, number>;
  neighbours: string[];
  left: string[];
}

describe.each(runners())('the netns testbed as $who', (runner) => {
  it('joins two hosts by one cable', async () => {
    const { hosts, statuses, left } = await scene<Links>(
      'links',
      { topology: PAIR, from: 'buyers', to: 'shop' },
      runner,
    );
    expect(hosts.buyers.map(([name]) => name)).toEqual(['lo', 'back0']);
    expect(hosts.shop.map(([name]) => name)).toEqual(['lo', 'front0']);
    expect(statuses).toEqual({ 200: 5 });
    expect(left).toEqual(['logs', 'shared']);
  });

  it('joins several hosts by a bridge that none of them sees, with neighbours known from the start', async () => {
    const topology = {
      buyers: { kind: 'client', hosts: 3, to: 'shop' },
      shop: { kind: 'fixed', hosts: 2 },
    };
    const { hosts, neighbours, statuses } = await scene<Links>(
      'links',
      { topology, from: 'buyers[2]', to: 'shop[1]' },
      runner,
    );
    expect(statuses).toEqual({ 200: 5 });
    expect(hosts['buyers[2]'].map(([name, state]) => `${name} ${state}`)).toEqual(['lo UNKNOWN', 'back0 UP']);
    expect(neighbours).toHaveLength(2);
    for (const line of neighbours) expect(line).toMatch(/PERMANENT/);
  });

  it('loses packets on a lossy link, in both directions', async () => {
    const { there, back } = await scene<{ there: number; back: number }>(
      'lossy',
      { loss: '20%', packets: 2000 },
      runner,
    );
    // 1,600 on the average; eight standard deviations either way.
    for (const arrived of [there, back]) {
      expect(arrived).toBeGreaterThan(1450);
      expect(arrived).toBeLessThan(1750);
    }
  });

  it('sets a sysctl on one host alone', async () => {
    const seen = await scene('sysctls', { name: 'net.ipv4.tcp_fin_timeout', value: '7' }, runner);
    expect(seen).toEqual({ before: '60', buyers: '7', shop: '60' });
  });

  it('ends daemons that are deaf, stopped, or have children, and limits their descriptors', async () => {
    expect(await scene('daemons', null, runner)).toEqual({
      limit: '123',
      runningBefore: true,
      runningAfter: false,
      end: { code: null, signal: 'SIGKILL' },
      stopped: { code: null, signal: 'SIGTERM' },
    });
  });
});

describe('what a host refuses', () => {
  it('passes stdin to a command and its output back', async () => {
    expect(await scene('command', { argv: ['cat'], input: 'hello' })).toEqual({ stdout: 'hello', stderr: '' });
  });

  it('names host, command and stderr of a command that fails', async () => {
    const failure = await scene<SceneError>('command', { argv: ['sh', '-c', 'echo no luck >&2; exit 3'] });
    expect(failure).toMatchObject({ where: 'shop', exitCode: 3 });
    expect(failure.error).toContain('no luck');
    expect(failure.error).toContain('sh -c');
  });

  it('names a command that is missing, and the remedy', async () => {
    const failure = await scene<SceneError>('command', { argv: ['no-such-program'] });
    expect(failure).toMatchObject({ where: 'shop', exitCode: 3, hint: expect.stringContaining('doctor --fix') });
    expect(failure.error).toContain('no-such-program');
  });

  it.each([
    ['net.ipv4.nonsense', 1, 'no such setting'],
    ['net.ipv4.ip_local_port_range', '9 1', 'refuses this value'],
    ['net.netfilter.nf_conntrack_max', 5, 'whole machine'],
  ])('says why %s = %s cannot be set', async (name, value, reason) => {
    const topology = { ...PAIR, buyers: { ...PAIR.buyers, sysctls: { [name]: value } } };
    const failure = await scene<SceneError>('buildOnly', topology);
    expect(failure).toMatchObject({ where: 'buyers', exitCode: 3, error: expect.stringContaining(reason) });
    expect(failure.error).toContain(name);
  });

  it('builds a delay where the kernel has netem, and else refuses it by node and knob', async () => {
    const topology = { ...PAIR, buyers: { ...PAIR.buyers, link: { delay: '5ms' } } };
    const failure = await scene<SceneError | null>('buildOnly', topology);
    if (failure === null) return;
    expect(failure).toMatchObject({ where: 'topology.buyers.link.delay', exitCode: 3 });
    expect(failure.error).toContain('netem');
  });
});
