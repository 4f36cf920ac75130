/** `compare` as a user types it: records on disk, what it prints, what it refuses, and by which name. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { Comparison } from '../../src/analysis/comparison/comparison.js';
import type { RunRecord } from '../../src/record/run-record.js';
import { portparty, scratch } from '../helpers/portparty.js';
import { simulatedRun } from '../helpers/simulated-runs.js';

const settings = { 'as-shipped': { drops: 150 }, 'wider-pool': { drops: 0 } };
let cwd: string;
beforeEach(() => {
  cwd = scratch();
});

/** Writes a record where `portparty run` would have. */
function recorded(id: string, changes: Partial<RunRecord> = {}, trials = 11): string {
  const dir = join(cwd, 'results', id);
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'run.json');
  writeFileSync(file, JSON.stringify({ ...simulatedRun({ seed: 5, trials, settings }), id, ...changes }));
  return file;
}
const compare = (...args: string[]) => portparty(['compare', ...args], { cwd });

it('prints the variants of the latest run side by side', async () => {
  recorded('20261124T192318Z-simulated-ab12');
  const { code, stdout, stderr } = await compare('latest');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('wider-pool against as-shipped');
  expect(stdout).toMatch(/\n {2}dropped .* better/);
  expect(stdout).toContain('Holm 1979');
});

it('prints the same as JSON, narrowed, turned round, surer', async () => {
  recorded('20261124T192318Z-simulated-ab12');
  const args = ['latest', '--json', '--base', 'wider-pool', '--metric', 'dropped', '--confidence', '99%'];
  const { code, stdout } = await compare(...args);
  expect(code).toBe(0);
  const comparison = JSON.parse(stdout) as Comparison;
  expect(comparison).toMatchObject({ schema: 'portparty/comparison@1', confidence: 0.99, metricsTested: 1 });
  const [pair] = comparison.pairs;
  expect(pair.other.variant).toBe('as-shipped');
  expect(pair.metrics).toMatchObject([{ metric: 'dropped', verdict: 'worse' }]);
  expect(pair.metrics[0].base.values).toHaveLength(11);
  expect((await compare(...args)).stdout).toBe(stdout);
});

it('compares two runs, and refuses those that mean something else by the name of the difference', async () => {
  recorded('20261124T192318Z-simulated-ab12');
  recorded('20261124T202318Z-simulated-cd34');
  recorded('20261124T212318Z-simulated-ef56', { driver: 'docker' });
  const same = await compare('20261124T192318Z-simulated-ab12', '20261124T202318Z-simulated-cd34');
  expect(same.code).toBe(0);
  expect(same.stdout).toContain('The same in every trial: dropped');
  expect(same.stdout).not.toMatch(/better in|worse in/);
  const other = await compare('20261124T192318Z-simulated-ab12', 'latest');
  expect(other).toMatchObject({ code: 2, stdout: '' });
  expect(other.stderr).toContain('not comparable: different driver: netns and docker');
  expect(other.stderr).toContain('--force');
  const forced = await compare('20261124T192318Z-simulated-ab12', 'latest', '--force');
  expect(forced.code).toBe(0);
  expect(forced.stdout).toContain('! forced: different driver: netns and docker');
});

it('names the file of a record that is missing or damaged', async () => {
  const first = recorded('20261124T192318Z-simulated-ab12');
  const second = recorded('20261124T202318Z-simulated-cd34');
  const missing = await compare('latest', 'nowhere');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('there is no run "nowhere"');
  writeFileSync(second, '{ "schema": "portparty/run@1", "id"');
  const broken = await compare(first, second);
  expect(broken).toMatchObject({ code: 2, stdout: '' });
  expect(broken.stderr).toContain(`${second}: the record is damaged`.replace(`${cwd}/`, ''));
  writeFileSync(second, '{ "schema": "portparty/run@1", "id": "x" }');
  expect((await compare(first, second)).stderr).toContain('the record is damaged: startedAt');
  writeFileSync(second, 'null');
  expect((await compare(first, second)).stderr).toContain('not the record of a run');
});

it('names mistakes on the command line', async () => {
  recorded('20261124T192318Z-simulated-ab12');
  for (const [args, words] of [
    [['latest', '--metric', 'latency.p99'], 'no latency "p99"'],
    [['latest', '--metric', 'droped'], 'did you mean dropped?'],
    [['latest', '--base', 'wider'], 'no variant "wider"'],
    [['latest', 'latest'], 'compared with itself'],
    [['latest', '--confidence', '0.95'], 'write it like 95%'],
    [['latest', '--confidence', '100%'], 'from 50% to 99%'],
    [[], "missing required argument 'run'"],
  ] as const) {
    const { code, stderr } = await compare(...args);
    expect(code, args.join(' ')).toBe(2);
    expect(stderr).toContain(words);
  }
});
