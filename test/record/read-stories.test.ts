/** What stories are told from: each trial has its own samples and events, wherever they stand among those of others. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRun } from '../../src/record/read-record.js';
import { readStories } from '../../src/record/read-stories.js';
import { madeRun } from '../report/html/made-run.js';

const storiesOf = (dir: string) => readStories(dir, readRun(dir), {}).trials;
const timesOf = (dir: string) =>
  storiesOf(dir).map((source) => {
    const { variant, trialNumber, samples, events } = source.read();
    return [variant, trialNumber, samples.map(({ timeMs }) => timeMs), events.map(({ event }) => event)];
  });

describe('the sources of stories', () => {
  it('have the samples and events of their own trial, as often as they are asked for', () => {
    const { dir } = madeRun({ trials: 2 });
    const times = Array.from({ length: 11 }, (_, tenth) => tenth * 100);
    const all = ['as-shipped', 'wider-pool'].map((variant) => [variant, times, ['kill shop']]);
    const expected = [1, 2].flatMap((trial) => all.map(([variant, ...rest]) => [variant, trial, ...rest]));
    expect(timesOf(dir)).toEqual(expected);
    const [source] = storiesOf(dir);
    expect(source.read()).toEqual(source.read());
  });

  it('tell trials apart whose lines are mixed, and whose names look like parts of lines', () => {
    const names = ['a","trial":2,"', 'ä, "variant":"b"'];
    const { dir } = madeRun({ variants: names });
    const line = (variant: string, timeMs: number) =>
      `${JSON.stringify({ type: 'sample', run: 'r', variant, trial: 1, timeMs, inUse: {}, timeWait: {}, states: {} })}\n`;
    const mixed = Array.from({ length: 6 }, (_, at) => line(names[at % 2], at)).join('');
    writeFileSync(join(dir, 'series.ndjson'), `no JSON\n{}\n${mixed}`);
    expect(timesOf(dir)).toEqual([
      [names[0], 1, [0, 2, 4], []],
      [names[1], 1, [1, 3, 5], []],
    ]);
    // Cut off by a crash.
    appendFileSync(join(dir, 'series.ndjson'), line(names[0], 6).slice(0, -2));
    expect(timesOf(dir)[0]).toEqual([names[0], 1, [0, 2, 4], []]);
  });

  it('are found in a series of many megabytes', () => {
    const { dir } = madeRun();
    const [samples, inUse] = [4000, Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`node-${at}`, at]))];
    const lines = ['as-shipped', 'wider-pool'].flatMap((variant) =>
      Array.from({ length: samples }, (_, timeMs) =>
        JSON.stringify({ type: 'sample', run: 'r', variant, trial: 1, timeMs, inUse, timeWait: {}, states: {} }),
      ),
    );
    writeFileSync(join(dir, 'series.ndjson'), `${lines.join('\n')}\n`);
    const times = Array.from({ length: samples }, (_, timeMs) => timeMs);
    expect(timesOf(dir)).toEqual([
      ['as-shipped', 1, times, []],
      ['wider-pool', 1, times, []],
    ]);
  });

  it('have none where the record has no series', () => {
    const { dir } = madeRun();
    writeFileSync(join(dir, 'series.ndjson'), '');
    for (const [, , samples, events] of timesOf(dir)) expect([samples, events]).toEqual([[], []]);
  });
});
