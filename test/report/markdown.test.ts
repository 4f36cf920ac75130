import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.js';
import { losingVariant, runRecord, variantRecord } from '../helpers/trials.js';

describe('the summary in Markdown', () => {
  const gates = [{ gate: 'dropped == 0', observed: 300, pass: false }];
  const text = renderMarkdown(runRecord([losingVariant(gates), variantRecord('wider|pool')], { verdict: 'fail' }));

  it('says the verdict, the reason and the numbers', () => {
    expect(text).toMatch(/^# ticket-sale: ✗ gates fail\n/);
    expect(text).toContain('as-shipped lost 300 of 3,000 requests because edge ran out of ports');
    expect(text).toContain('- ✗ as-shipped: `dropped == 0` (observed: 300)');
    expect(text).toContain('300 ports-exhausted@edge<br>12 late: time-wait-collision@shop');
  });

  it('is a table with equally many cells in every row, whatever a variant is called', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    expect(rows).toHaveLength(4);
    const cells = rows.map((row) => row.split(/(?<!\\)\|/).length);
    expect(new Set(cells).size).toBe(1);
  });

  it('gives the reasons of an invalid measurement', () => {
    const invalid = variantRecord('a', { validity: { valid: false, reasons: ['the generator was late'] } });
    const markdown = renderMarkdown(runRecord([invalid], { verdict: 'invalid' }));
    expect(markdown).toMatch(/measurement is invalid\n[\s\S]*- a: the generator was late/);
  });

  it('says what gates on a baseline were held against, and what was not the same then', () => {
    const baseline = { value: 3, bound: 3, trials: { run: 1, baseline: 1 } };
    const variant = variantRecord('a', {}, [{ gate: 'dropped <= baseline', observed: 4, pass: false, baseline }]);
    const markdown = renderMarkdown(
      runRecord([{ ...variant, skippedGates: ['due >= baseline'] }], {
        verdict: 'fail',
        baseline: { run: 'the-run', differences: ['kernel: 6.1 in the baseline, 6.18 now'] },
      }),
    );
    expect(markdown).toContain(
      '- ✗ a: `dropped <= baseline` (observed: 4; baseline 3; one trial each, too few for a test: plainly compared)',
    );
    expect(markdown).toContain('- – a: `due >= baseline` (skipped: ');
    expect(markdown).toContain('Held against run `the-run`.\n\n- ! kernel: 6.1 in the baseline, 6.18 now');
  });
});
