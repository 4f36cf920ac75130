import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderGates, renderRun, terminalOptions } from '../../src/report/terminal.js';
import { losingVariant, runRecord, variantRecord } from '../helpers/trials.js';

const gate = (text: string, observed: number | null, pass: boolean) => ({ gate: text, observed, pass });
const sale = runRecord(
  [
    losingVariant([gate('dropped.ports-exhausted@edge > 0', 300, true)]),
    variantRecord('wider-pool', {}, [gate('dropped == 0', 0, true), gate('ports.edge.peak < 80%', 812 / 64_512, true)]),
  ],
  { verdict: 'pass' },
);
const plain = (width: number, record = sale) => renderRun(record, { color: false, width });

describe('the report on a terminal', () => {
  it('shows the whole table in one at 120 columns', () => {
    expect(plain(120)).toBe(
      [
        'ticket-sale',
        '  netns · kernel 6.18.0 · nginx 1.22.1 · seed 1',
        '',
        '  variant       due  completed  dropped  lost to                     tickets  connect ms  response ms  ports at peak',
        '                                                                               p50 / p99    p50 / p99',
        '  as-shipped  3,000      2,700      300  300 ports-exhausted@edge        700  0.40 / 3.1     41 / 120  edge 500/500',
        '                                         12 late',
        '                                           time-wait-collision@shop',
        '  wider-pool  3,000      3,000        0  –                             1,000  0.40 / 3.1     41 / 120  edge 812/64,512',
        '',
        '  as-shipped lost 300 of 3,000 requests because edge ran out of ports (500 of 500 in use towards one destination);',
        '  wider-pool lost none. Late, but completed after a repeated SYN: 12 in as-shipped (time-wait-collision@shop).',
        '',
        '  gates, and what they saw',
        '  ✓ as-shipped  dropped.ports-exhausted@edge > 0  300',
        '  ✓ wider-pool  dropped == 0                      0',
        '  ✓ wider-pool  ports.edge.peak < 80%             1.26%',
        '',
        '  PASS  all 3 gates hold   run 20261124T192318Z-ticket-sale-ab12',
        '',
      ].join('\n'),
    );
  });

  it.each([200, 120, 100, 80, 60, 45])('fits into %i columns and keeps every number', (width) => {
    const text = plain(width);
    const longest = Math.max(...text.split('\n').map((line) => [...line].length));
    expect(longest).toBeLessThanOrEqual(width);
    for (const word of ['3,000', '2,700', '300 ports-exhausted@edge', '700', '0.40 / 3.1', '41 / 120', 'edge 500/500'])
      expect(text).toContain(word);
  });

  it('has no escape sequence without colour, and the same text with it', () => {
    expect(plain(120)).toBe(stripVTControlCharacters(plain(120)));
    const coloured = renderRun(sale, { color: true, width: 120 });
    expect(coloured).not.toBe(plain(120));
    expect(stripVTControlCharacters(coloured).replace(/ +$/gm, '')).toBe(plain(120));
  });

  it('says which gate fails and what it saw', () => {
    const gates = [gate('dropped == 0', 300, false), gate('latency.connect.p99 < 10ms', null, false)];
    const text = plain(120, runRecord([losingVariant(gates)], { verdict: 'fail' }));
    expect(text).toMatch(/✗ as-shipped {2}dropped == 0 +300\n/);
    expect(text).toMatch(/✗ as-shipped {2}latency\.connect\.p99 < 10ms +not measured\n/);
    expect(text).toMatch(/FAIL {2}2 of 2 gates do not hold/);
  });

  it('says why a measurement is invalid', () => {
    const invalid = variantRecord('default', { validity: { valid: false, reasons: ['the generator was late'] } });
    const text = plain(80, runRecord([invalid], { verdict: 'invalid' }));
    expect(text).toContain('! default is invalid: the generator was late');
    expect(text).toContain('INVALID');
  });

  it('says that a run was interrupted, also when nothing ran to its end', () => {
    const text = plain(80, runRecord([], { status: 'interrupted' }));
    expect(text).toContain('INTERRUPTED');
    expect(text).toContain('No trial ran to its end');
  });

  it('shows the root of an aftershock below it', () => {
    const because = { cause: 'ports-exhausted', at: 'balancer' } as const;
    const shaken = variantRecord('default', {
      requests: {
        due: 100,
        completed: 0,
        dropped: 100,
        attempts: 100,
        byCause: [
          { cause: 'backend-held-down', at: 'balancer', count: 98, because, evidence: [] },
          { cause: 'ports-exhausted', at: 'balancer', count: 2, evidence: [] },
        ],
        delayed: [],
      },
      ports: { balancer: { capacity: 200, peak: 200, peakShare: 1 } },
    });
    expect(plain(80, runRecord([shaken]))).toMatch(
      /98 backend-held-down@balancer\n +because ports-exhausted@balancer\n +2 ports-/,
    );
  });

  it('leaves out the tickets where none are sold, and what was not measured', () => {
    const none = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0, count: 0 };
    const text = plain(
      120,
      runRecord([
        variantRecord('default', { tickets: undefined, ports: {}, latency: { connect: none, response: none } }),
      ]),
    );
    expect(text).not.toContain('tickets');
    expect(text).toMatch(/default +3,000 +3,000 +0 +– +– +– +–\n/);
  });
});

describe('what a stream can show', () => {
  const stream = (isTTY: boolean, columns?: number) => ({ isTTY, columns }) as NodeJS.WriteStream;
  it('is colour and its own width on a terminal', () => {
    expect(terminalOptions(stream(true, 93), {})).toEqual({ color: true, width: 93 });
  });
  it('is no colour under NO_COLOR, on a dumb terminal, or into a pipe', () => {
    expect(terminalOptions(stream(true, 93), { NO_COLOR: '1' }).color).toBe(false);
    expect(terminalOptions(stream(true, 93), { TERM: 'dumb' }).color).toBe(false);
    expect(terminalOptions(stream(false), {})).toEqual({ color: false, width: 120 });
  });
});

describe('gates on a baseline', () => {
  const trials = { run: 3, baseline: 5 };
  const against = (observed: number, pass: boolean, p?: number) => ({
    gate: 'latency.response.p99 <= baseline + 10%',
    observed,
    pass,
    baseline: { value: 100, bound: 110, trials, ...(p === undefined ? {} : { p }) },
  });
  const shown = (variant: object, changes: object = {}) =>
    renderGates(runRecord([{ ...variantRecord('a'), ...variant }], changes), { color: false, width: 120 });

  it.each([
    [
      'shown to be beyond the bound',
      against(110.04, false, 0.0179),
      '✗ a  latency.response.p99 <= baseline + 10%  110 ms',
      'baseline 100 ms, bound 110 ms; 3 against 5 trials, permutation test, p = 0.018',
    ],
    [
      'beyond it, but not shown to be',
      against(112.25, true, 0.2),
      '✓ a  latency.response.p99 <= baseline + 10%  112.3 ms',
      'beyond it, but 3 against 5 trials do not show that it is more than chance (permutation test, p = 0.2)',
    ],
    [
      'with too few trials for a test',
      against(99, true),
      '✓ a  latency.response.p99 <= baseline + 10%  99 ms',
      'baseline 100 ms, bound 110 ms; 3 against 5 trials, too few for a test: plainly compared',
    ],
  ])('say how they were decided: %s', (_, gate, line, below) => {
    const text = shown({ gates: [gate] });
    expect(text.split('\n')).toContain(`  ${line}`);
    expect(text.replace(/\s+/g, ' ')).toContain(below);
  });

  it('that were skipped are told, and again in the verdict', () => {
    const variant = { gates: [gate('dropped == 0', 0, true)], skippedGates: ['dropped <= baseline'] };
    const text = shown(variant, { verdict: 'pass' });
    expect(text).toContain('! a  dropped <= baseline  skipped: it compares with a baseline, and none is named');
    expect(text).toContain('PASS  the gate holds; 1 gate skipped for want of a baseline');
    expect(shown({ skippedGates: ['dropped <= baseline'] })).toContain('no gates; 1 gate skipped');
  });

  it('name the run that they were held against, and each difference', () => {
    const text = shown({}, { baseline: { run: 'the-run', differences: ['kernel: 6.1 in the baseline, 6.18 now'] } });
    expect(text).toContain('  · held against run the-run\n  ! kernel: 6.1 in the baseline, 6.18 now\n');
  });
});
