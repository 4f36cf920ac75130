import { describe, expect, it } from 'vitest';
import { escapeXml, renderJunit } from '../../src/report/junit.js';
import { losingVariant, runRecord, variantRecord } from '../helpers/trials.js';

describe('JUnit XML', () => {
  it('has a suite per variant and a case per gate', () => {
    const record = runRecord([
      losingVariant([
        { gate: 'dropped > 0', observed: 300, pass: true },
        { gate: 'latency.response.p99 < 100ms', observed: 120, pass: false },
      ]),
      variantRecord('wider-pool', { validity: { valid: false, reasons: ['late', 'by <much>'] } }, [
        { gate: 'tickets.sold > 0', observed: null, pass: false },
      ]),
      variantRecord('free'),
    ]);
    expect(renderJunit(record)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="portparty ticket-sale" tests="4" failures="2" errors="1">
  <testsuite name="ticket-sale.as-shipped" tests="2" failures="1" errors="0" timestamp="2026-11-24T19:23:18">
    <testcase classname="ticket-sale.as-shipped" name="dropped &gt; 0"/>
    <testcase classname="ticket-sale.as-shipped" name="latency.response.p99 &lt; 100ms">
      <failure type="gate" message="latency.response.p99 &lt; 100ms does not hold (observed: 120 ms)">300 of 3,000 requests were lost because edge ran out of ports (500 of 500 in use towards one destination). Late, but completed after a repeated SYN: 12 (time-wait-collision@shop).</failure>
    </testcase>
  </testsuite>
  <testsuite name="ticket-sale.wider-pool" tests="2" failures="1" errors="1" timestamp="2026-11-24T19:23:18">
    <testcase classname="ticket-sale.wider-pool" name="tickets.sold &gt; 0">
      <failure type="gate" message="tickets.sold &gt; 0 does not hold (observed: not measured)"/>
    </testcase>
    <testcase classname="ticket-sale.wider-pool" name="the measurement is valid">
      <error type="invalid" message="the measurement is invalid">late&#10;by &lt;much&gt;</error>
    </testcase>
  </testsuite>
  <testsuite name="ticket-sale.free" tests="0" failures="0" errors="0" timestamp="2026-11-24T19:23:18"/>
</testsuites>
`);
  });

  it('says what a gate on a baseline was held against, and which were skipped', () => {
    const baseline = { value: 100, bound: 110, trials: { run: 5, baseline: 5 }, p: 0.004 };
    const gate = 'latency.response.p99 <= baseline + 10%';
    const variant = variantRecord('wider-pool', {}, [{ gate, observed: 120, pass: false, baseline }]);
    const xml = renderJunit(runRecord([{ ...variant, skippedGates: ['dropped <= baseline'] }]));
    expect(xml).toContain(
      'does not hold (observed: 120 ms; baseline 100 ms, bound 110 ms; 5 against 5 trials, permutation test, p = 0.004)',
    );
    expect(xml).toContain('tests="2" failures="1" errors="0" skipped="1"');
    expect(xml).toMatch(/name="dropped &lt;= baseline">\s*<skipped message="skipped: [^"]*--baseline[^"]*"\/>/);
  });

  it('escapes what XML treats specially and replaces what it forbids', () => {
    expect(escapeXml(`a & <b> "c" 'd'\ne\u0000f`)).toBe('a &amp; &lt;b&gt; &quot;c&quot; &apos;d&apos;&#10;e\ufffdf');
  });
});
