import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRequestsFile } from '../../src/record/requests-file.js';
import { createRecord } from '../../src/record/write-record.js';
import { MAIN, portparty, scratch } from '../helpers/portparty.js';
import { completedOutcomes, drop, exhausted, heldDown, punctual, scenarioOf } from '../helpers/trials.js';

/** A recorded run of two variants with ten visitors each; the first one loses three requests. */
function recordedRun(): { outDir: string; id: string; dir: string } {
  const outDir = join(scratch(), 'results');
  const writer = createRecord({
    outDir,
    scenario: scenarioOf({ 'as-shipped': [], wider: [] }),
    driver: 'netns',
    driverReason: '',
    environment: { kernel: '', node: '', cpus: 2, versions: {} },
  });
  for (const variant of ['as-shipped', 'wider']) {
    const outcomes = completedOutcomes(10, 1);
    const dropped = new Map(
      variant === 'wider'
        ? []
        : ([
            [2, exhausted],
            [4, heldDown],
            [5, { ...exhausted, cause: 'refused' }],
          ] as const),
    );
    for (const row of dropped.keys()) drop(outcomes, row);
    const info = { variant, trial: 1, idPrefix: variant, steps: ['view-event'], clients: ['buyers'], startedAtMs: 0 };
    writer.beginTrial({ ...info, nodes: ['edge', 'balancer'], outcomes }).finish({
      dropped,
      delayed: variant === 'wider' ? new Map([[7, exhausted]]) : new Map(),
      pools: {},
      counters: {},
      generator: punctual,
      plannedVisitors: 10,
      maxLatenessMs: 10,
      problems: [],
    });
  }
  writer.finish('complete');
  return { outDir, id: writer.id, dir: writer.dir };
}

describe('portparty requests', () => {
  let run: ReturnType<typeof recordedRun>;
  const requests = (...args: string[]) => portparty(['requests', ...args, '--out', run.outDir]);
  const ids = async (...args: string[]) => {
    const { code, stdout, stderr } = await requests(...args, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).id as string);
  };

  it('prints every request as JSON, of the latest run by default', async () => {
    run = recordedRun();
    expect(await ids()).toHaveLength(20);
    expect(await ids(run.id)).toHaveLength(20);
    expect(await ids(run.dir)).toHaveLength(20);
  });

  it('narrows the choice', async () => {
    run = recordedRun();
    expect(await ids('--dropped')).toEqual(['as-shipped.2.0', 'as-shipped.4.0', 'as-shipped.5.0']);
    expect(await ids('--delayed')).toEqual(['wider.7.0']);
    expect(await ids('--cause', 'ports-exhausted')).toEqual(['as-shipped.2.0', 'as-shipped.4.0', 'wider.7.0']);
    expect(await ids('--cause', 'refused', '--variant', 'wider')).toEqual([]);
    expect(await ids('--variant', 'wider')).toHaveLength(10);
    expect(await ids('--limit', '3')).toHaveLength(3);
  });

  it('prints lines for people without --json', async () => {
    run = recordedRun();
    const { stdout } = await requests('--dropped');
    const [head, first, second] = stdout.split('\n');
    expect(head).toMatch(/^request +step +client +due ms/);
    expect(first).toMatch(/^as-shipped\.2\.0 +view-event +buyers .* ports-exhausted@edge$/);
    expect(second).toMatch(/backend-held-down@balancer because ports-exhausted@balancer$/);
  });

  it.each([
    [['--variant', 'nobody'], /no variant "nobody".*\n.*as-shipped, wider/],
    [['--cause', 'bad-luck'], /bad-luck/],
    [['--limit', 'few'], /whole number/],
    [['20200101T000000Z-none-aaaa'], /there is no run/],
  ])('refuses %j with exit code 2', async (args, words) => {
    run = recordedRun();
    const { code, stdout, stderr } = await requests(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(words);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const folder = scratch();
    const { dir, outDir } = recordedRun();
    const file = createRequestsFile(join(dir, 'requests.bin'));
    const info = {
      variant: 'a',
      trial: 1,
      idPrefix: 'a',
      steps: ['view-event'],
      clients: [],
      nodes: [],
      startedAtMs: 0,
    };
    file.beginTrial(info, completedOutcomes(50_000, 1)).appendRest();
    file.close();
    const shell = `"${process.execPath}" "${MAIN}" requests --json --out "${outDir}" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const child = spawn('bash', ['-c', shell], { cwd: folder });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')[1]).toBe('0');
  });
});
