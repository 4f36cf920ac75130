/** A record as JUnit XML, the form that CI systems read: one suite per variant, one case per gate. */
import type { RunRecord, VariantRecord } from '../record/run-record.js';
import { causesOf, observedAgainst, SKIPPED } from './gate-text.js';

/**
 * JUnit XML (https://github.com/testmoapp/junitxml). A gate that fails is a `failure`; a measurement that is invalid is an `error`
 * of its own, because gates on it say nothing. A gate that compares with a baseline is `skipped` where none was named.
 */
export function renderJunit(record: RunRecord): string {
  const suites = record.variants.map((variant) => suite(record, variant));
  const total = (name: 'tests' | 'failures' | 'errors') => suites.reduce((sum, entry) => sum + entry[name], 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="portparty ${escapeXml(record.scenario.name)}" tests="${total('tests')}" failures="${total('failures')}" errors="${total('errors')}">`,
    ...suites.map(({ xml }) => xml),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(record: RunRecord, variant: VariantRecord) {
  const name = escapeXml(`${record.scenario.name}.${variant.name}`);
  const cases = variant.gates.map((gate) => {
    const open = `    <testcase classname="${name}" name="${escapeXml(gate.gate)}"`;
    if (gate.pass) return `${open}/>`;
    const message = escapeXml(`${gate.gate} does not hold (observed: ${observedAgainst(gate)})`);
    const why = escapeXml(causesOf(record, variant));
    const failure = `<failure type="gate" message="${message}"${why === '' ? '/>' : `>${why}</failure>`}`;
    return `${open}>\n      ${failure}\n    </testcase>`;
  });
  for (const gate of variant.skippedGates ?? []) {
    const open = `    <testcase classname="${name}" name="${escapeXml(gate)}">`;
    cases.push(`${open}\n      <skipped message="${escapeXml(SKIPPED)}"/>\n    </testcase>`);
  }
  const { valid, reasons } = variant.validity;
  if (!valid) {
    const text = escapeXml(reasons.join('\n'));
    cases.push(
      `    <testcase classname="${name}" name="the measurement is valid">\n      <error type="invalid" message="the measurement is invalid">${text}</error>\n    </testcase>`,
    );
  }
  const counts = {
    tests: cases.length,
    failures: variant.gates.filter((gate) => !gate.pass).length,
    errors: valid ? 0 : 1,
  };
  const skipped = variant.skippedGates?.length ?? 0;
  const attributes = Object.entries(skipped === 0 ? counts : { ...counts, skipped }).map(
    ([key, value]) => `${key}="${value}"`,
  );
  const stamp = record.startedAt.replace(/\.\d+Z$/, '');
  const head = `  <testsuite name="${name}" ${attributes.join(' ')} timestamp="${escapeXml(stamp)}"`;
  return { ...counts, xml: cases.length === 0 ? `${head}/>` : `${head}>\n${cases.join('\n')}\n  </testsuite>` };
}

/** Escapes text for XML content and attributes; control characters, which XML 1.0 forbids, become U+FFFD. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&apos;',
    '\n': '&#10;',
  };
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to keep out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"'\n]/g, (character) => names[character])
  );
}
