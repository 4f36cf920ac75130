/** Over how many processes a plan is spread, and that the rows are the same whoever sends them. */
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../dist/traffic/engines.js';
import { prepareInProcesses } from '../../dist/traffic/socket/processes.js';
import type { PreparedTraffic, TrafficPlan } from '../../src/traffic/engine.js';
import { keptOpen, type SendingMachine, sendersFor } from '../../src/traffic/socket/senders.js';
import { splitPlan } from '../../src/traffic/split.js';
import { BUY, plan, serve, type TestServer, tally, until } from './fixture.js';

const machine: SendingMachine = { descriptors: 20_000, openFiles: 1e6, cores: 2 };
const hold = (visitors: number, changes: Partial<TrafficPlan> = {}) =>
  plan(80, visitors, 0.5, { holdForMs: 30_000, ...changes });
const clients = (count: number): TrafficPlan['clients'] =>
  Array.from({ length: count }, (_, index) => ({ ...plan(80, 0, 0).clients[0], host: `buyers[${index}]` }));

describe('the connections that a plan keeps open', () => {
  it('are those that are held at once', () => {
    expect(keptOpen(hold(30_000))).toBe(30_000);
    // At 2,000 a second, those of 9 seconds and of the one that answer and close may take.
    expect(keptOpen(hold(30_000, { holdForMs: 9000 }))).toBe(20_000);
  });

  it('are those whose visitors think', () => {
    const thinking = { steps: BUY, thinkTimeMs: 2000 };
    expect(keptOpen(plan(80, 30_000, 0.5, thinking))).toBe(10_000);
    expect(keptOpen(plan(80, 30_000, 0.5, { ...thinking, connections: { mode: 'per-request' } }))).toBe(0);
  });
});

describe('a plan', () => {
  it('goes to as few processes as have the descriptors for it', () => {
    expect(sendersFor(hold(18_000), machine)).toBe(1);
    expect(sendersFor(hold(30_000), machine)).toBe(2);
    expect(sendersFor(hold(60_000), machine)).toBe(4);
    expect(sendersFor(hold(60_000), { ...machine, descriptors: 1_048_576 })).toBe(1);
  });

  it('of few clients is not divided into shares that are too large', () => {
    // Three processes would leave one of them with two of the four clients.
    expect(sendersFor(hold(40_000, { clients: clients(4) }), machine)).toBe(4);
    expect(sendersFor(hold(40_000, { clients: clients(1) }), machine)).toBe(3);
  });

  it('goes to more where its rate needs them, and leaves a core to the chain', () => {
    const fast = plan(80, 60_000, 0.05);
    expect(sendersFor(fast, { ...machine, cores: 16 })).toBe(3);
    expect(sendersFor(fast, { ...machine, cores: 3 })).toBe(2);
    expect(sendersFor(fast, machine)).toBe(1);
    expect(sendersFor(fast, { ...machine, cores: 1 })).toBe(1);
    expect(sendersFor(plan(80, 5000, 1), { ...machine, cores: 16 })).toBe(1);
  });

  it('that is a part already is sent as it is', () => {
    const [part] = splitPlan(hold(60_000), 2);
    expect(sendersFor(part, machine)).toBe(1);
  });

  it('that no number of processes could hold has none', () => {
    expect(sendersFor(hold(60_000), { ...machine, openFiles: 50_000 })).toBeUndefined();
    expect(sendersFor(hold(60_000), { ...machine, descriptors: 1000 })).toBeUndefined();
    expect(sendersFor(hold(20_000), { ...machine, descriptors: 1000 })).toBe(27);
  });
});

let server: TestServer | undefined;
let prepared: PreparedTraffic | undefined;
afterEach(async () => {
  await prepared?.close();
  await server?.close();
  prepared = server = undefined;
});

async function sent(ready: PreparedTraffic) {
  prepared = ready;
  const report = await ready.run(process.hrtime.bigint() + 100_000_000n);
  return { out: ready.outcomes, report };
}

it.each([
  [1, 3],
  [2, 3],
  [4, 3],
])('of %i clients fill the same rows from %i processes as from one', async (hosts, processes) => {
  // Every seventh request is lost, by its id: whoever sends it.
  server = await serve((request, response) => {
    const [visitor, step] = String(request.headers['x-request-id']).split('.').slice(1).map(Number);
    response.statusCode = (visitor * 3 + step) % 7 === 6 ? 503 : 200;
    response.end('{}');
  });
  const whole = plan(server.port, 100, 2, {
    steps: BUY,
    // A machine that does much else is no reason to lose a request.
    connectTimeoutMs: 60_000,
    responseTimeoutMs: 60_000,
    clients: clients(hosts).map((client) => ({
      ...client,
      targets: [{ host: 'shop', address: '127.0.0.1', port: server!.port }],
    })),
  });
  const one = await sent(await ENGINES.socket.prepare(whole));
  const ids = server.requests.map(({ id }) => id).sort();
  await prepared!.close();
  server.requests.length = 0;
  const several = await sent(await prepareInProcesses(whole, processes));
  expect(server.requests.map(({ id }) => id).sort()).toEqual(ids);
  for (const column of ['state', 'status', 'error', 'attempts', 'client', 'target', 'synRetransmits'] as const)
    expect([...several.out[column]]).toEqual([...one.out[column]]);
  // Those of the first steps; think times count from an answer.
  for (let row = 0; row < one.out.rows; row += BUY.length) expect(several.out.dueNs[row]).toBe(one.out.dueNs[row]);
  const connections = several.out.connection.filter((_, row) => row % BUY.length === 0);
  expect(new Set(connections).size).toBe(100);
  expect(several.out.localPort.filter((port, row) => (port === 0) !== (several.out.state[row] === 0))).toHaveLength(0);
  expect(several.report.notes).toContain(`sent by ${processes} processes`);
  expect(several.report.ownFailures).toBe(0);
});

it('stops early in all of its processes', async () => {
  server = await serve(() => undefined);
  prepared = await prepareInProcesses(plan(server.port, 4000, 10), 2);
  const running = prepared.run(process.hrtime.bigint() + 50_000_000n);
  const { outcomes } = prepared;
  await until(() => tally(outcomes).underWay > 0);
  prepared.stop();
  await running;
  const { completed, notDue } = tally(outcomes);
  expect(completed).toBe(0);
  expect(notDue).toBeGreaterThan(0);
});

it('is refused before it starts where no number of processes could hold it, with the limits in the way', () => {
  const script = `
    import { ENGINES } from '${new URL('../../dist/traffic/engines.js', import.meta.url).href}';
    const steps = [{ name: 'view-event', method: 'GET', path: '/event', body: '' }];
    const clients = [{ host: 'buyers', netns: null, targets: [{ host: 'shop', address: '127.0.0.1', port: 1 }] }];
    const plan = (visitors) => ({ arrivalsNs: new Float64Array(visitors), steps, clients, thinkTimeMs: 0, holdForMs: 60000, connections: { mode: 'per-visitor' } });
    console.log(JSON.stringify([20000, 60000].map((visitors) => ENGINES.socket.refuses(plan(visitors)) ?? null)));`;
  const { stdout } = spawnSync(
    'sh',
    ['-c', 'ulimit -n 1000; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    { encoding: 'utf8' },
  );
  expect(JSON.parse(stdout)).toEqual([
    null,
    expect.stringMatching(/^60000 connections are to be open at once.* 1000 in one process \(ulimit -n\), \d+ in all/),
  ]);
});
