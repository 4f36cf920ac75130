/** Nothing of Docker's own touches the measured path, and nothing on it has more rights than its job needs. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../../src/testbed/find-command.js';
import { docker, thingsOf } from '../helpers/docker.js';
import { testbedWays, titleOf } from '../helpers/ways.js';
import { type Bench, type OpenTestbed, openBench } from '../testbed/open.js';

/** `inner` is not started, so it forwards and does not translate: the buyers' addresses cross the bridge of the next segment. */
const CHAIN = {
  buyers: { kind: 'client', hosts: 2, to: 'inner' },
  inner: { kind: 'nat', to: 'outer' },
  outer: { kind: 'nat', ports: '20000-20499', to: 'shop' },
  shop: { kind: 'fixed' },
};
const CONNECTIONS = 200;

/** <linux/capability.h>, as a bit of the masks in /proc/self/status. */
const NET_ADMIN = 1 << 12;

const seesRules = process.getuid?.() === 0 && findCommand('iptables-save') !== undefined;

/** The machine's own firewall rules that name one of these, with how many packets met each. */
function rulesNaming(names: string[]): { packets: number; rule: string }[] {
  const text = execFileSync('iptables-save', ['-c'], { encoding: 'utf8' });
  return [...text.matchAll(/^\[(\d+):\d+\] (-A .*)$/gm)]
    .map(([, packets, rule]) => ({ packets: Number(packets), rule }))
    .filter(({ rule }) => names.some((name) => rule.includes(name)));
}

for (const way of (await testbedWays()).filter(({ driver }) => driver === 'docker'))
  describe.skipIf(way.missing !== undefined)(titleOf(way), () => {
    let bench: Bench;
    let chain: OpenTestbed;
    beforeAll(async () => {
      bench = await openBench(way);
      chain = await bench.build(CHAIN);
      await chain.host('outer').start();
      const { subnet } = chain.plan.segments.find(({ name }) => name === 'inner')!;
      const inner = chain.plan.hosts.find(({ name }) => name === 'inner')!;
      const [via] = inner.interfaces.find(({ name }) => name === 'back0')!.addresses;
      // The way back to the buyers, which a gateway that translates would spare.
      await chain.host('outer').run(['ip', 'route', 'add', subnet, 'via', via]);
    }, 300_000);
    afterAll(() => bench?.close());

    const addressesOf = (host: string, nic: string) =>
      chain.plan.hosts.find(({ name }) => name === host)!.interfaces.find(({ name }) => name === nic)!.addresses;

    it('carries every packet as the chain made it: addresses arrive unchanged where nobody translates, and translated once where one does', async () => {
      const { address, port } = chain.plan.listeners.shop;
      const server = `require('net').createServer((socket) => { console.log(socket.remoteAddress); socket.end('hello'); socket.on('error', () => {}); })
        .listen({ port: ${port}, host: '${address}', backlog: 1024 }, () => console.log('ready'))`;
      const shop = chain.host('shop');
      await shop.spawn([shop.nodeBinary, '-e', server], { label: 'peers' });
      while (!(await shop.readFile('peers.log')).includes('ready'));
      const client = `let answers = 0;
        for (let n = 0; n < ${CONNECTIONS / 2}; n++)
          require('net').connect(${port}, '${address}').on('data', () => { if (++answers === ${CONNECTIONS / 2}) console.log(answers); });`;
      const answers = await Promise.all(['buyers[0]', 'buyers[1]'].map((name) => chain.host(name).program(client)));
      expect(answers).toEqual([`${CONNECTIONS / 2}\n`, `${CONNECTIONS / 2}\n`]);

      const peers = (await shop.readFile('peers.log')).trim().split('\n').slice(1);
      expect(peers).toHaveLength(CONNECTIONS);
      expect(new Set(peers)).toEqual(new Set(addressesOf('outer', 'back0')));
      // What came in at `outer`, by its own table: the buyers' own addresses.
      const { stdout } = await chain.host('outer').run(['conntrack', '-L', '-p', 'tcp', '--dport', String(port)]);
      const sources = [...stdout.matchAll(/^tcp .*? src=(\S+)/gm)].map(([, source]) => source);
      expect(sources).toHaveLength(CONNECTIONS);
      expect(new Set(sources)).toEqual(
        new Set(['buyers[0]', 'buyers[1]'].flatMap((name) => addressesOf(name, 'back0'))),
      );
    });

    it.runIf(seesRules)('has met no rule of Docker`s that drops or rewrites', async () => {
      const { networks } = await thingsOf(bench.pid);
      const bridges = networks.map(({ Id }) => `br-${Id.slice(0, 12)}`);
      expect(bridges).toHaveLength(3);
      const rules = rulesNaming([...bridges, ...chain.plan.segments.map(({ subnet }) => subnet)]);
      expect(rules.length).toBeGreaterThan(0);
      expect(rules.filter(({ rule }) => /MASQUERADE|NAT\b|REDIRECT/.test(rule))).toEqual([]);
      expect(rules.filter(({ rule, packets }) => /DROP|REJECT/.test(rule) && packets > 0)).toEqual([]);
    });

    it('leads nowhere else', async () => {
      // A documentation address (RFC 5737).
      const program = `require('net').connect({ host: '192.0.2.1', port: 80, timeout: 300 })
        .on('connect', () => console.log('connected')).on('error', ({ code }) => console.log(code))
        .on('timeout', function () { console.log('silence'); this.destroy(); })`;
      for (const name of chain.names) expect(await chain.host(name).program(program)).not.toBe('connected\n');
      // At the end of the chain there is no route at all.
      expect(await chain.host('shop').program(program)).toBe('ENETUNREACH\n');
    });

    it.each([
      ['buyers[0]', 0, 10_001],
      ['inner', NET_ADMIN, 0],
      ['outer', NET_ADMIN, 0],
      ['shop', 0, 10_001],
    ])('gives a process on %s the capabilities %i, as user %i', async (name, capabilities, user) => {
      const { stdout } = await chain.host(name).run(['cat', '/proc/self/status']);
      const field = (key: string) => new RegExp(`^${key}:\\s+(\\S+)`, 'm').exec(stdout)![1];
      expect(Number.parseInt(field('CapBnd'), 16)).toBe(capabilities);
      expect(Number.parseInt(field('CapEff'), 16)).toBe(user === 0 ? capabilities : 0);
      expect(Number(field('Uid'))).toBe(user);
      expect(field('NoNewPrivs')).toBe('1');
    });

    it('has nothing privileged, and nothing of the machine mounted', async () => {
      const { containers } = await thingsOf(bench.pid);
      expect(containers.length).toBe(way.env.PORTPARTY_DOCKER_TRAFFIC === 'container' ? 10 : 5);
      for (const { Id, Names } of containers) {
        const { HostConfig } = await (await docker()).getContainer(Id).inspect();
        const isAgent = Names[0].endsWith('-agent');
        const isGateway = /-(inner|outer)$/.test(Names[0]);
        expect(HostConfig.Privileged).toBe(false);
        expect(HostConfig.CapDrop).toEqual(['ALL']);
        expect((HostConfig.CapAdd ?? []).map((name: string) => name.replace(/^CAP_/, '')).sort()).toEqual(
          isAgent ? ['NET_ADMIN', 'NET_RAW'] : isGateway ? ['NET_ADMIN'] : [],
        );
        expect(HostConfig.SecurityOpt).toEqual(['no-new-privileges:true']);
        expect(HostConfig.Binds ?? []).toEqual([]);
        for (const mount of HostConfig.Mounts ?? []) expect(mount.Type).toBe('volume');
        expect(HostConfig.PublishAllPorts).toBe(false);
        expect(HostConfig.PortBindings ?? {}).toEqual({});
      }
    });
  });
