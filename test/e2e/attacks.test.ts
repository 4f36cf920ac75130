/** Attackers beside visitors: what they did is told apart from what the visitors met. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { losses, portparty, record, scenarioFile, scratch } from '../helpers/portparty.js';

it('each attack does what it says, within its bounds, and no attempt is one of the visitors` requests', async () => {
  const run = await record(`
name: attacks
topology:
  buyers: { kind: client, to: fence }
  mallory: { kind: attacker, attack: port-scan, scanPorts: 8061-8100, rate: 400/s, to: fence }
  fence: { kind: firewall, to: shop }
  shop: { kind: ticket-shop, login: { password: guess-12 } }
traffic:
  arrivals: [{ for: 1500ms, rate: 20/s }]
  process: uniform
  maxLateness: 10s
variants:
  scan: {}
  hold: { topology: { mallory: { attack: hold-connections, scanPorts: null, connections: 30 }, fence: { connectionsPerSource: 25, overLimit: reject } } }
  flood: { topology: { mallory: { attack: connection-flood, scanPorts: null, attempts: 50, rate: 200/s } } }
  guess: { topology: { mallory: { attack: brute-force, scanPorts: null, attempts: 40, rate: 80/s } } }
  locked: { topology: { mallory: { attack: brute-force, scanPorts: null, attempts: 40, rate: 80/s }, shop: { login: { lockAfter: 5 } } } }
`);
  for (const { name, requests, validity } of run.variants) {
    expect({ name, due: requests.due, completed: requests.completed, validity }).toEqual({
      name,
      due: 30,
      completed: 30,
      validity: { valid: true, reasons: [] },
    });
  }
  const [scan, hold, flood, guess, locked] = run.variants.map(({ attackers }) => attackers!.mallory);
  expect(scan).toMatchObject({ attempts: 40, connected: 1, refused: 39, open: ['198.18.0.18:8080'] });
  expect(hold).toMatchObject({ attack: 'hold-connections', held: 25, connected: 25, cut: 0 });
  expect(hold.refused).toBeGreaterThan(0);
  expect(flood).toMatchObject({ attempts: 50, statuses: { 200: 50 } });
  expect(guess.found).toEqual({ password: 'guess-12', attempt: 12 });
  expect(locked.statuses).toEqual({ 401: 5, 423: expect.any(Number) });
  expect(locked.found).toBeUndefined();
  expect(readFileSync(join(run.folder, 'summary.md'), 'utf8')).toContain('## Attacks');
});

it('an attack that begins later costs nothing before, and its gates are judged', async () => {
  const folder = scratch();
  const file = scenarioFile(
    folder,
    `
name: late
topology:
  buyers: { kind: client, to: edge }
  mallory: { kind: attacker, attack: hold-connections, connections: 60, rate: 1000/s, after: 300ms, to: edge }
  edge: { kind: nat, ports: 20000-20049, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  arrivals: [{ for: 1500ms, rate: 20/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 500ms }
gates:
  - attack.mallory.held > 40
  - attack.mallory.open == 0
  - dropped.ports-exhausted@edge > 10
`,
  );
  const { code, stdout } = await portparty(['run', file, '--out', join(folder, 'results'), '--quiet']);
  expect(stdout).toMatch(/mallory: hold-connections, [\d,]+ attempts: \d+ held at a time/);
  expect(code).toBe(0);
});

it('of two causes at once each keeps its own: the proxy has 20 ports, the server behind it a backlog of 4', async () => {
  const run = await record(`
name: both
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, ports: 30000-30019, maxFails: 0, to: shop }
  shop: { kind: fixed, workers: 1, backlog: 4, serviceTime: 5s }
traffic:
  from: buyers
  arrivals: [{ for: 300ms, rate: 100/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 1s, response: 1500ms }
`);
  const lost = losses(run.variants[0]);
  // 20 ports: 6 connections stand (one served, backlog + 1 wait), 14 SYNs are dropped by the queue; the other 10 requests find no port.
  expect(lost).toEqual({ 'ports-exhausted@balancer': 10, 'accept-queue-full@shop': 14, 'response-timeout@shop': 6 });
});
