/** Mistakes on the command line of `explain`, and records that lack something: each is said, with what to do. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRecord, type RecordWriter } from '../../src/record/write-record.js';
import { portparty, scratch } from '../helpers/portparty.js';
import { completedOutcomes, drop, exhausted, punctual, scenarioOf } from '../helpers/trials.js';

/** A run of one variant and three visitors, of whom the second is lost; cut short, or without ways as older versions wrote it. */
function recorded(end: 'cut short' | 'finished'): string {
  const outcomes = completedOutcomes(3, 1);
  drop(outcomes, 1);
  const writer: RecordWriter = createRecord({
    outDir: join(scratch(), 'results'),
    scenario: scenarioOf({ 'as-shipped': [] }),
    driver: 'netns',
    driverReason: '',
    environment: { kernel: '', node: '', cpus: 2, versions: {} },
  });
  const info = { variant: 'as-shipped', trial: 1, idPrefix: '0.1', steps: ['view-event'], clients: ['buyers'] };
  const trial = writer.beginTrial({ ...info, nodes: ['edge'], startedAtMs: 0, outcomes });
  if (end === 'cut short') trial.abandon();
  else
    trial.finish({
      dropped: new Map([[1, exhausted]]),
      delayed: new Map(),
      pools: { edge: { capacity: 1, peak: 1, peakShare: 1 } },
      counters: {},
      generator: punctual,
      plannedVisitors: 3,
      maxLatenessMs: 10,
      problems: [],
    });
  writer.finish(end === 'cut short' ? 'interrupted' : 'complete');
  return writer.dir;
}

it('a variant or a trial that the run does not have is told with those that it has', async () => {
  const run = recorded('finished');
  const variant = await portparty(['explain', run, '--variant', 'wider']);
  expect(variant).toMatchObject({ code: 2, stdout: '' });
  expect(variant.stderr).toContain('it has as-shipped');
  const trial = await portparty(['explain', run, '--trial', '7']);
  expect(trial.code).toBe(2);
  expect(trial.stderr).toContain('the run has no trial 7');
  expect((await portparty(['explain', run, '--trial', 'x'])).code).toBe(2);
});

it('where there is no run it says how to make one', async () => {
  const folder = scratch();
  mkdirSync(join(folder, 'results'));
  const { code, stderr } = await portparty(['explain'], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toContain('portparty run');
});

it('an unknown request is told with what ids look like, and with a lost one of this run', async () => {
  const { code, stderr } = await portparty(['explain', recorded('finished'), '--request', '0.1.99.0']);
  expect(code).toBe(2);
  expect(stderr).toContain('such as 0.1.1.0 (as-shipped, visitor 1, view-event)');
});

it('a run that was cut short is told as far as it is known', async () => {
  const run = recorded('cut short');
  const { code, stdout } = await portparty(['explain', run]);
  expect(code).toBe(0);
  expect(stdout).toContain('was cut short');
  expect(stdout.replace(/\s+/g, ' ')).toContain('no cause was decided');
  const request = await portparty(['explain', run, '--request', '0.1.1.0']);
  expect(request.code).toBe(0);
  expect(request.stdout).toContain('gave up: the handshake did not finish');
  expect(request.stdout.replace(/\s+/g, ' ')).toContain('The trial was cut short');
});

it('a run whose chain is not known is told without advice', async () => {
  const { code, stdout } = await portparty(['explain', recorded('finished')]);
  expect(code).toBe(0);
  expect(stdout).toContain('edge ran out of ports: all 1 towards its busiest destination');
  expect(stdout).not.toContain('What would help');
});
