/** The gates that fail, what they saw and why requests were lost, as plain lines: for an assertion that fails. */
import type { RunRecord } from '../record/run-record.js';
import { plural } from './format.js';
import { causesOf, observedAgainst } from './gate-text.js';

/** A line on the whole, then each variant that fails with its gates and the sentence on its causes. */
export function failureText(record: RunRecord): string {
  const gates = record.variants.flatMap((variant) => variant.gates);
  const failed = gates.filter(({ pass }) => !pass).length;
  const blocks = record.variants.flatMap((variant) => {
    const lines = variant.gates
      .filter(({ pass }) => !pass)
      .map((gate) => `  ✗ ${variant.name}: ${gate.gate} (observed: ${observedAgainst(gate)})`);
    const why = causesOf(record, variant);
    return lines.length === 0 ? [] : [...lines, ...(why === '' ? [] : [`    ${why}`])];
  });
  const differences = (record.baseline?.differences ?? []).map((text) => `  ! ${text}`);
  return [
    `${failed} of ${plural(gates.length, 'gate')} of ${record.scenario.name} ${failed === 1 ? 'does' : 'do'} not hold`,
    ...blocks,
    ...differences,
    `  run ${record.id}`,
  ].join('\n');
}
