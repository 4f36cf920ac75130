/** From a run to a baseline, and against it: the way of a pipeline, with real testbeds. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../../dist/index.js';
import { matchers } from '../../src/expect/vitest.js';
import type { RunRecord } from '../../src/record/run-record.js';
import { drivers } from '../helpers/everywhere.js';
import { portparty, scenarioFile, scratch } from '../helpers/portparty.js';

expect.extend(matchers);

/** 64 ports for 100 connections held at once: 36 are lost. */
const HELD = `
name: held
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 20000-20063, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 4s
  arrivals: [{ for: 200ms, rate: 500/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 3s, response: 5s }
gates:
  - dropped.ports-exhausted@edge > 0
  - dropped <= baseline
`;

it.each(drivers)('a change that loses more than the baseline fails, by $name', async ({ driver, env }) => {
  const folder = scratch();
  const file = scenarioFile(folder, HELD);
  const baseline = join(folder, 'baseline.json');
  const started = { cwd: folder, env: { ...env, GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '' } };
  const runs = async (...args: string[]) => {
    const result = await portparty(['run', file, '--driver', driver, '--json', '--quiet', ...args], started);
    return { code: result.code, record: JSON.parse(result.stdout) as RunRecord };
  };

  const first = await runs();
  expect(first).toMatchObject({ code: 0, record: { verdict: 'pass' } });
  expect(first.record.variants[0]).toMatchObject({ gates: [{ observed: 36 }], skippedGates: ['dropped <= baseline'] });
  expect(await portparty(['gate', 'latest', '--save-baseline', baseline], started)).toMatchObject({ code: 0 });

  const same = await runs('--baseline', baseline);
  expect(same).toMatchObject({ code: 0, record: { verdict: 'pass', baseline: { run: first.record.id } } });
  expect(same.record.variants[0].gates[1]).toMatchObject({
    observed: 36,
    pass: true,
    baseline: { value: 36, bound: 36 },
  });

  const fewerPorts = await runs('--baseline', baseline, '--set', 'topology.edge.ports=20000-20053');
  expect(fewerPorts).toMatchObject({ code: 1, record: { verdict: 'fail' } });
  expect(fewerPorts.record.variants[0].gates[1]).toMatchObject({ observed: 46, pass: false });
  const gated = await portparty(['gate', 'latest', '--baseline', baseline], started);
  expect(gated.code).toBe(1);
  expect(gated.stdout.replace(/\s+/g, ' ')).toContain('46 of 100 requests were lost because edge ran out of ports');
});

it('a baseline of another scenario is refused before anything is built', async () => {
  const folder = scratch();
  const file = scenarioFile(folder, HELD);
  const other = join(folder, 'other.json');
  const environment = { kernel: '', node: '', cpus: 1, versions: {} };
  writeFileSync(
    other,
    JSON.stringify({
      schema: 'portparty/baseline@1',
      run: 'the-run',
      startedAt: '',
      scenario: { name: 'other', sha256: '', seed: 1 },
      driver: drivers[0].driver,
      environment,
      variants: {},
    }),
  );
  const { code, stderr } = await portparty(
    ['run', file, '--driver', drivers[0].driver, '--baseline', other, '--out', join(folder, 'results')],
    { cwd: folder, env: drivers[0].env },
  );
  expect(code).toBe(2);
  expect(stderr).toContain('baseline the-run: it is of another scenario: other, and this run is of held');
});

it('the library runs, and its test holds the gates', async () => {
  const folder = scratch();
  const file = scenarioFile(folder, HELD);
  const record = await run(file, { driver: drivers[0].driver, out: join(folder, 'results') });
  expect(record).toHoldGates({ gates: ['dropped.ports-exhausted@edge == 36', 'dropped.unattributed == 0'] });
  expect(record).not.toHoldGates({ gates: ['dropped == 0'] });
});
