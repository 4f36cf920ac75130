import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../src/analysis/comparison/compare.js';
import { renderComparison } from '../../src/report/comparison.js';
import { visibleLength } from '../../src/report/wrap.js';
import { simulatedRun } from '../helpers/simulated-runs.js';

const settings = { 'as-shipped': { drops: 150 }, 'wider-pool': { drops: 0 } };
const clear = compareRuns(simulatedRun({ seed: 3, trials: 12, settings }), undefined);
const scarce = compareRuns(simulatedRun({ seed: 3, trials: 4, settings }), undefined);
const plain = (width: number, comparison = clear) => renderComparison(comparison, { color: false, width });
const flat = (text: string) => text.replace(/\s+/g, ' ');

describe('a comparison on a terminal', () => {
  it('shows both sides, the change with its interval, and a verdict per metric', () => {
    const text = plain(120);
    expect(text).toMatch(/metric +as-shipped +wider-pool +change +95% interval +verdict +trials/);
    expect(text).toMatch(/\n {2}dropped +\d+ +[\d.]+ +−\d+ +−\d+ … −[\d.]+ +better +–\n/);
    expect(text).toMatch(/\n {2}latency\.connect\.p50 +0\.\d+ ms +0\.\d+ ms +[+−][\d.]+% .* no difference +(> )?\d/);
    expect(text).toContain('The same in every trial: ports.shop.peak.');
    expect(flat(text)).toMatch(/No difference that 12 trials can show in \d+ metrics/);
  });

  it('names its method and the sources', () => {
    for (const words of ['Efron & Tibshirani 1993', 'Holm 1979', 'permutation test', 'all arrangements', 'at most 5%'])
      expect(flat(plain(120))).toContain(words);
  });

  it.each([120, 100, 80, 60, 45])('fits into %i columns and keeps every metric', (width) => {
    const text = plain(width);
    expect(Math.max(...text.split('\n').map(visibleLength))).toBeLessThanOrEqual(width);
    for (const { metric } of clear.pairs[0].metrics) for (const part of metric.split('@')) expect(text).toContain(part);
  });

  it('says plainly when there are too few trials, and how many it takes', () => {
    expect(flat(plain(80, scarce))).toMatch(
      /4 trials cannot show any difference at 95% over \d+ metrics, however large: it takes 10/,
    );
    expect(plain(80, scarce)).not.toMatch(/ better$| is better/m);
  });

  it('has no escape sequence without colour, and the same words with it', () => {
    expect(plain(120)).toBe(stripVTControlCharacters(plain(120)));
    const coloured = renderComparison(clear, { color: true, width: 120 });
    expect(coloured).not.toBe(plain(120));
    expect(stripVTControlCharacters(coloured).replace(/ +$/gm, '')).toBe(plain(120));
  });

  it('puts differences beside the setting first, and says which were forced', () => {
    const one = simulatedRun({ seed: 1, trials: 3, settings }, { id: 'one' });
    const two = { ...simulatedRun({ seed: 1, trials: 3, settings }, { id: 'two' }), driver: 'docker' as const };
    const text = plain(80, compareRuns(one, two, { force: true }));
    expect(text).toContain('! forced: different driver: netns and docker');
    expect(text.indexOf('forced')).toBeLessThan(text.indexOf('second run against first\n'));
  });
});
