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
});
