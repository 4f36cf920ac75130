/** Advice names knobs that exist, with values that the scenario file takes, and numbers that follow from the burst. */
import { describe, expect, it } from 'vitest';
import { type AdviceFacts, adviceFor } from '../../src/analysis/advice.js';
import { CAUSE_NAMES } from '../../src/ledger/causes.js';
import { KIND_NAMES, kindOf } from '../../src/nodes/registry.js';
import { type ChainRecord, chainRecord } from '../../src/record/chain-record.js';
import { loadScenario } from '../../src/run/load-scenario.js';
import { makePlan } from '../../src/topology/make-plan.js';
import { scenarioFile, scratch } from '../helpers/portparty.js';

/** A scenario's text whose nodes are of these kinds, with `front` before `back`. */
const text = (front: string, back = 'kind: fixed, serviceTime: 40ms, workers: 2') => `
name: advised
topology:
  buyers: { kind: client, to: front }
  front:  { ${front}, to: back }
  back:   { ${back} }
traffic: { from: buyers, journey: view-event, arrivals: [{ for: 1s, rate: 100/s }] }
`;

async function chainOf(front: string, back?: string): Promise<ChainRecord> {
  const { variants } = await loadScenario(scenarioFile(scratch(), text(front, back)));
  return chainRecord(variants[0], makePlan(variants[0]));
}

function facts(chain: ChainRecord, at: string, changes: Partial<AdviceFacts>): AdviceFacts {
  return {
    cause: 'ports-exhausted',
    at,
    node: chain.nodes[at],
    chain,
    lost: 100,
    isTimeWait: false,
    peakPerSecond: 300,
    lostPerSecond: 60,
    ...changes,
  };
}

describe('whatever it advises', () => {
  const fronts = KIND_NAMES.filter((kind) => ['L3', 'L7'].includes(kindOf(kind).layer));
  for (const kind of fronts) {
    it(`can be written into a scenario with ${kind}`, async () => {
      const front = `kind: ${kind}`;
      const chain = await chainOf(front);
      const file = scenarioFile(scratch(), text(front));
      for (const at of ['buyers', 'front', 'back'])
        for (const cause of CAUSE_NAMES)
          for (const isTimeWait of [false, true]) {
            const pool = { capacity: 200, peak: 200 };
            for (const { knob, value } of adviceFor(facts(chain, at, { cause, isTimeWait, pool, neededPorts: 320 }))) {
              if (knob === undefined || value === undefined) continue;
              const loading = loadScenario(file, { set: [`${knob}=${value}`] });
              await expect(
                loading.then(
                  () => 'loads',
                  (error) => `${cause}@${at}: ${knob}: ${value}: ${error.message}`,
                ),
              ).resolves.toBe('loads');
            }
          }
    });
  }
});

describe('against exhausted ports', () => {
  it('a gateway gets the ports that the burst wanted and a quarter more, or addresses', async () => {
    const chain = await chainOf('kind: nat, ports: 20000-20499');
    const [ports, addresses] = adviceFor(
      facts(chain, 'front', { pool: { capacity: 500, peak: 500 }, neededPorts: 800 }),
    );
    expect(ports).toMatchObject({ knob: 'topology.front.ports', value: '20000-20999' });
    expect(ports.because).toContain('wanted about 800');
    expect(addresses).toMatchObject({ knob: 'topology.front.addresses', value: '2', because: '2 × 500 ports = 1,000' });
  });

  it('a proxy whose ports lie in TIME_WAIT keeps connections, with the rate that its ports allow', async () => {
    const chain = await chainOf('kind: nginx, ports: 30000-30199');
    const all = adviceFor(facts(chain, 'front', { pool: { capacity: 200, peak: 200 }, isTimeWait: true }));
    expect(all[0]).toMatchObject({ knob: 'topology.front.keepalive' });
    expect(all[0].because).toBe('200 ports / 60 s in TIME_WAIT = 3.3 new connections a second in the long run');
    expect(all.map(({ knob }) => knob)).toContain('topology.front.sysctls.net.ipv4.tcp_tw_reuse');
  });
});

it('a full accept queue gets the backlog that its worst second wanted', async () => {
  const chain = await chainOf('kind: nat', 'kind: fixed, backlog: 16, workers: 1');
  const [backlog] = adviceFor(facts(chain, 'back', { cause: 'accept-queue-full' }));
  expect(backlog).toMatchObject({ knob: 'topology.back.backlog', value: '128' });
});

it('where no backlog is written, advice goes by that of the product, or names none', async () => {
  const adviceOf = async (front: string) =>
    adviceFor(facts(await chainOf(front), 'front', { cause: 'accept-queue-full' }))[0];
  expect((await adviceOf('kind: nginx')).because).toContain('backlog 511 ');
  expect((await adviceOf('kind: varnish')).because).toContain('backlog 1,024 ');
  const haproxy = await adviceOf('kind: haproxy');
  expect(haproxy.knob).toBe('topology.front.backlog');
  expect(haproxy.value).toBeUndefined();
  expect(haproxy.because).toMatch(/^in its worst second /);
});
