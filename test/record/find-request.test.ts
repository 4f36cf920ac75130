/** What the record keeps of requests that are looked up together: the same as of each alone, and why something is missing. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findById, withKept } from '../../src/record/find-request.js';
import { readRequests } from '../../src/record/read-requests.js';
import { madeRun } from '../report/html/made-run.js';

describe('requests that are looked up together', () => {
  function made() {
    const { dir } = madeRun();
    const all = [...readRequests(join(dir, 'requests.bin'))];
    return { dir, all, lost: all.filter(({ state }) => state === 'dropped').toReversed() };
  }

  it('have each its own evidence, way and chain, in the order in which they were asked for', () => {
    const { dir, lost } = made();
    const found = withKept(dir, lost);
    expect(found.map(({ request }) => request.id)).toEqual(lost.map(({ id }) => id));
    for (const one of found) {
      expect(one).toEqual({ ...one, evidence: [expect.stringContaining('it entered')], missing: [] });
      expect(one.way).toMatchObject({ id: one.request.id });
      expect(one.chain).toMatchObject({ variant: 'as-shipped', trial: 1 });
    }
  });

  it('have what each has alone', () => {
    const { dir, all, lost } = made();
    const few = [lost[0], all.at(-1)!, lost.at(-1)!];
    expect(withKept(dir, few)).toEqual(
      few.map(({ id, variant }) => {
        const alone = findById(dir, id, { variants: [variant] });
        return alone.kind === 'request' && alone.found;
      }),
    );
  });

  it('say why a way is missing', () => {
    const { dir, all, lost } = made();
    const missing = () => withKept(dir, [all[0], lost[0]]).map(({ missing: why }) => why.join());
    expect(missing()).toEqual([expect.stringContaining('of every 1th visitor'), '']);
    const file = join(dir, 'ways.ndjson');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(
      file,
      lines
        .filter((line) => line.includes('"kept":'))
        .join('\n')
        .concat('\n'),
    );
    expect(missing()[1]).toContain('the way of every 1th');
    writeFileSync(file, '');
    expect(missing()[1]).toContain('The trial was cut short');
    rmSync(file);
    expect(missing()[1]).toContain('from a version that kept no ways');
  });
});
