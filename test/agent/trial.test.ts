/** Whole trials of hosts that can only be reached through agents: the same numbers as where the harness enters them itself. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';

interface Trial {
  due: number;
  underWay: number;
  completed: number;
  losses: Record<string, number>;
  pools: Record<string, { capacity: number; peak: number }>;
  problems: string[];
  clientsRight: boolean;
  sighted: number;
  connections: { opened: number; distinct: number };
  targets: Record<string, Record<string, number>>;
  inOrder: boolean;
  generator: { engine: string; cpu: boolean; ownFailures: number; notes: string[] };
  taps: Record<string, boolean>;
  samples: { count: number; rising: boolean; last: { due: number; completed: number; cpu: Record<string, number> } };
  conntrack: Record<string, number>;
  forwarded: Record<string, number>;
  counters: string[];
  seenMeanwhile: number;
  error?: string;
  where?: string;
  exitCode?: number;
}

async function trial(text: string, options: object): Promise<Trial> {
  const argument = JSON.stringify({ text, ...options });
  const script = ['test/testbed/run-scene.mjs', 'test/agent/scenes.mjs', 'trial', argument];
  const { stdout } = await promisify(execFile)(process.execPath, script);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Trial;
}

const bothWays = (text: string) => Promise.all([trial(text, { agents: false }), trial(text, { agents: true })]);

/** What must not depend on the way. */
function ledgerOf({ due, underWay, completed, losses, problems, sighted }: Trial) {
  return { due, underWay, completed, losses, problems, sighted };
}

function scenario(topology: string, traffic: string): string {
  return `name: remote\ntopology:\n${topology}\ntraffic:\n  from: buyers\n  maxLateness: 10s\n${traffic}\n`;
}

const NAT = `
  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: 20000-20499, to: shop }
  shop: { kind: fixed }`;
const SALE = `
  buyers: { kind: client, hosts: 3, to: balancer }
  balancer: { kind: nginx, keepalive: 16, to: shop }
  shop: { kind: ticket-shop, hosts: 2, tickets: 5000, serviceTime: 5ms }`;

describe('hosts behind agents', () => {
  it('500 ports carry 500 of 800 connections held at once, observed as ever', async () => {
    const [direct, remote] = await bothWays(
      scenario(
        NAT,
        `  journey: hold
  holdFor: 5s
  arrivals: [{ for: 500ms, rate: 1600/s }]
  process: uniform
  timeout: { connect: 3s, response: 5s }`,
      ),
    );
    expect(remote).toMatchObject({ due: 800, completed: 500, losses: { 'ports-exhausted@edge': 300 } });
    expect(ledgerOf(remote)).toEqual(ledgerOf(direct));
    for (const what of ['pools', 'taps', 'conntrack', 'forwarded', 'targets', 'connections'] as const)
      expect(remote[what]).toEqual(direct[what]);
    expect(remote.counters.sort()).toEqual(direct.counters.sort());
    expect(remote).toMatchObject({ clientsRight: true, inOrder: true, samples: { rising: true } });
    expect(remote.samples.last).toMatchObject({ due: 800, completed: 500, dropped: 300 });
    expect(Object.keys(remote.samples.last.cpu).sort()).toEqual(Object.keys(direct.samples.last.cpu).sort());
  });

  it('200 source ports of a proxy carry 200 of 300, by the ids of its log', async () => {
    const [direct, remote] = await bothWays(
      scenario(
        `
  buyers: { kind: client, hosts: 3, to: balancer }
  balancer: { kind: nginx, ports: 30000-30199, to: shop }
  shop: { kind: fixed, serviceTime: 3s }`,
        `  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: 600/s }]
  process: uniform`,
      ),
    );
    expect(remote).toMatchObject({ completed: 200, losses: { 'ports-exhausted@balancer': 100 } });
    expect(ledgerOf(remote)).toEqual(ledgerOf(direct));
    expect(remote.pools.balancer).toEqual(direct.pools.balancer);
  });

  it.each(['per-visitor', "'pooled: 8'"])('a ticket sale over %s connections', async (connections) => {
    const [direct, remote] = await bothWays(
      scenario(
        SALE,
        `  journey: buy-ticket
  thinkTime: 100ms
  connections: ${connections}
  arrivals: [{ for: 1s, rate: 100/s }]`,
      ),
    );
    expect(remote.losses).toEqual({});
    expect(ledgerOf(remote)).toEqual(ledgerOf(direct));
    expect(remote).toMatchObject({ clientsRight: true, inOrder: true, generator: { engine: direct.generator.engine } });
    expect(remote.connections.distinct).toBe(remote.connections.opened);
  });

  it('a closed loop, whose visitors come as fast as they are served', async () => {
    const remote = await trial(
      scenario(
        SALE,
        `  journey: view-event
  arrivals: [{ for: 500ms, connections: 8 }]`,
      ),
      { agents: true },
    );
    expect(remote).toMatchObject({
      underWay: 0,
      losses: {},
      clientsRight: true,
      connections: { opened: 8, distinct: 8 },
    });
    expect(remote.completed).toBe(remote.due);
    expect(remote.sighted).toBe(remote.due);
    expect(Object.keys(remote.targets)).toHaveLength(3);
  });

  const STEADY = scenario(
    NAT,
    `  journey: view-event
  connections: per-request
  arrivals: [{ for: 60s, rate: 100/s }]`,
  );

  it('an interrupted trial keeps what has come in', async () => {
    const stopped = await trial(STEADY, { agents: true, interruptAfter: 50 });
    expect(stopped.completed).toBeGreaterThanOrEqual(50);
    expect(stopped.due).toBeLessThan(6000);
  });

  it.each(['buyers[1]', 'edge', 'shop'])('%s, lost in the middle of the run, ends it by name', async (host) => {
    const lost = await trial(STEADY, { agents: true, kill: { host, after: 50 } });
    expect(lost).toMatchObject({ exitCode: ExitCode.testbed, where: host });
    expect(lost.error).toContain(`the agent of ${host} ended`);
  });
});
