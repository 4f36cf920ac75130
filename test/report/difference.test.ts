import { describe, expect, it } from 'vitest';
import type { CauseCount } from '../../src/record/run-record.js';
import { explainDifference } from '../../src/report/difference.js';
import { losingVariant, runRecord, variantRecord } from '../helpers/trials.js';

const losing = (name: string, byCause: Omit<CauseCount, 'evidence'>[]) => {
  const dropped = byCause.reduce((sum, { count }) => sum + count, 0);
  const all = byCause.map((entry) => ({ ...entry, evidence: [] }));
  const requests = { due: 600, completed: 600 - dropped, dropped, attempts: 600, byCause: all, delayed: [] };
  return variantRecord(name, { requests, ports: { balancer: { capacity: 200, peak: 200, peakShare: 1 } } });
};
const explain = (...variants: Parameters<typeof runRecord>[0]) => explainDifference(runRecord(variants));

describe('the difference between variants in a sentence', () => {
  it('names who lost how much and why, and who lost none', () => {
    const loser = losingVariant();
    loser.requests.delayed = [];
    expect(
      explain(loser, variantRecord('wider-pool'), variantRecord('four-addresses'), variantRecord('close-early')),
    ).toBe(
      'as-shipped lost 300 of 3,000 requests because edge ran out of ports (500 of 500 in use towards one destination); ' +
        'wider-pool, four-addresses and close-early lost none.',
    );
  });

  it('tells the quake from the aftershock', () => {
    const because = { cause: 'ports-exhausted', at: 'balancer' } as const;
    const shaken = losing('default', [
      { cause: 'backend-held-down', at: 'balancer', because, count: 301 },
      { cause: 'ports-exhausted', at: 'balancer', count: 99 },
    ]);
    expect(explain(shaken)).toBe(
      '400 of 600 requests were lost because balancer ran out of ports (200 of 200 in use towards one destination; ' +
        '301 in its wake, while balancer held all its backends down).',
    );
  });

  it('counts several causes apart, the largest first, and heaps the small ones', () => {
    const mixed = losing('a', [
      { cause: 'refused', at: 'shop', count: 10 },
      { cause: 'ports-exhausted', at: 'balancer', count: 50 },
      { cause: 'reset', at: 'shop', count: 2 },
      { cause: 'unattributed', at: 'shop', count: 1 },
    ]);
    expect(explain(mixed, variantRecord('b'))).toBe(
      'a lost 63 of 600 requests: 50 because balancer ran out of ports (200 of 200 in use towards one destination), ' +
        '10 because nothing listened on shop and 3 for other reasons; b lost none.',
    );
  });

  it('says that nothing was lost', () => {
    expect(explain(variantRecord('a'))).toBe('All 3,000 requests completed.');
    expect(explain(variantRecord('a'), variantRecord('b'))).toBe('All 3,000 requests completed in every variant.');
  });

  it('mentions what came late', () => {
    const late = variantRecord('a');
    late.requests.delayed = [{ cause: 'ports-exhausted', at: 'edge', count: 33 }];
    expect(explain(late)).toBe(
      'All 3,000 requests completed. Late, but completed after a repeated SYN: 33 (ports-exhausted@edge).',
    );
  });

  it('does not claim that a variant without any request lost none', () => {
    const requests = { due: 0, completed: 0, dropped: 0, attempts: 0, byCause: [], delayed: [] };
    expect(explain(variantRecord('idle', { requests }))).toBe('Nothing was measured: no request came due.');
    expect(explain(variantRecord('idle', { requests }), variantRecord('b'))).not.toContain('idle');
    expect(explain()).toBe('');
  });
});
