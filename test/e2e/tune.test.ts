/** A tuning on a real gateway: it proposes what helps, proves it, and does not fall for a setting that does nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TuneRecord } from '../../src/record/tune-record.js';
import { finished, portparty, scenarioFile, scratch, start } from '../helpers/portparty.js';

/** 40 connections at once through 25 ports: exactly 15 find none. */
const SCENARIO = `
name: office
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 20000-20024, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 1200ms
  arrivals: [{ for: 400ms, rate: 100/s }]
  process: uniform
  timeout: { connect: 600ms, response: 2s }
  maxLateness: 10s
`;

async function tuned(
  args: string[],
  text = SCENARIO,
): Promise<{ record: TuneRecord; code: number | null; out: string }> {
  const folder = scratch();
  const out = join(folder, 'results');
  const file = scenarioFile(folder, text);
  const { code, stdout } = await portparty(['tune', file, '--json', '--out', out, ...args], { cwd: folder });
  const record = JSON.parse(stdout) as TuneRecord;
  return { record, code, out: join(out, record.id) };
}

it('proposes settings against what is lost, and proves by exact counts that they help', {
  timeout: 300_000,
}, async () => {
  const { record, code, out } = await tuned(['--most', '2']);
  expect({ code, verdict: record.verdict, lost: record.lost }).toEqual({ code: 0, verdict: 'pass', lost: 15 });
  const { tried, winner, base } = record.result!;
  expect(base.dropped).toBe(15 * 7);
  expect(tried.map(({ settings: [{ knob }] }) => knob)).toEqual(['topology.edge.ports', 'topology.edge.addresses']);
  for (const { effect, dropped } of tried) {
    expect(dropped).toBe(0);
    expect(effect).toMatchObject({ verdict: 'better', change: -15, interval: [-15, -15] });
  }
  expect(winner).toBe(tried[0].name);
  expect(record.exported).toContain('export/nat-edge.nft');
  const rules = readFileSync(join(out, 'export', 'nat-edge.nft'), 'utf8');
  expect(rules).toMatch(/snat to .*dropped 105 → 0 of 280/s);

  // The other one as well, from the same trials.
  const compare = ['compare', join(out, record.trials!), '--variant', 'addresses=2', '--export', join(out, 'lines')];
  expect((await portparty(compare, { cwd: out })).code).toBe(0);
  expect(readFileSync(join(out, 'lines', 'addresses_2', 'nat-edge.nft'), 'utf8')).toContain('numgen inc mod 2');
});

it('does not call a setting helpful that does nothing, and exits 1', { timeout: 300_000 }, async () => {
  const { record, code } = await tuned(['--try', 'topology.shop.backlog=4096', '--trials', '6']);
  expect({ code, verdict: record.verdict, look: record.look }).toEqual({ code: 1, verdict: 'fail', look: null });
  expect(record.result!.tried[0]).toMatchObject({ dropped: 15 * 6, effect: { verdict: 'same' } });
});

it('has nothing to try where nothing is lost', { timeout: 120_000 }, async () => {
  const { record, code } = await tuned([], SCENARIO.replace('20000-20024', '1024-65535'));
  expect({ code, verdict: record.verdict, lost: record.lost, result: record.result }).toEqual({
    code: 0,
    verdict: 'pass',
    lost: 0,
    result: null,
  });
});

it('is ended by Ctrl-C with exit code 130 and keeps what it knows', { timeout: 120_000 }, async () => {
  const folder = scratch();
  const args = ['tune', scenarioFile(folder, SCENARIO), '--json', '--out', join(folder, 'results')];
  const child = start(args, { cwd: folder });
  const end = finished(child);
  let said = '';
  await new Promise<void>((resolve) => {
    child.stderr!.on('data', (text) => {
      said += text;
      if (said.includes('(trial 1 of')) resolve();
    });
  });
  child.kill('SIGINT');
  const { code, stdout } = await end;
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({
    code: 130,
    status: 'interrupted',
    verdict: 'none',
    lost: 15,
  });
});
