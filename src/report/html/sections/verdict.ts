/** Did it hold? The verdict in a word and a sentence, what must not be trusted, the variants at a glance, the gates. */
import type { GateResult, RunRecord, VariantRecord } from '../../../record/run-record.js';
import { explainDifference } from '../../difference.js';
import { busiestNodes, count, list, percent, placementText, placeOf, plural } from '../../format.js';
import { against, observed, SKIPPED } from '../../gate-text.js';
import { attackLines, eventLines } from '../../happenings.js';
import { ENDING_WORDS, endingOf } from '../ending.js';
import { type Content, type Html, html } from '../escape.js';
import { counted, inMs, number } from '../number.js';
import { details, section, table } from '../parts.js';

/** Gates that are listed without being asked for. */
const FEW_GATES = 8;

/** The first section. `missing` is what the record lacks, in sentences. */
export function verdictSection(record: RunRecord, missing: string[]): Html {
  const { mark, word, words, kind } = verdictOf(record);
  return section(
    'verdict',
    'Did it hold?',
    html`<p class="verdict ${kind}"><span class="mark" aria-hidden="true">${mark}</span> <strong>${word}</strong> ${words}</p>`,
    warnings(record, missing),
    html`<p class="lead">${explainDifference(record) || 'No trial ran to its end.'}</p>`,
    glance(record),
    gates(record),
    happened(record),
  );
}

/** The verdict as the terminal says it. */
export function verdictOf(record: RunRecord): { mark: string; word: string; words: string; kind: string } {
  const all = record.variants.flatMap((variant) => variant.gates);
  const failed = all.filter(({ pass }) => !pass).length;
  const skipped = record.variants.reduce((sum, { skippedGates = [] }) => sum + skippedGates.length, 0);
  const without = skipped === 0 ? '' : `; ${plural(skipped, 'gate')} skipped for want of a baseline`;
  const ending = endingOf(record);
  const as = (words: string, kind: string) => ({ ...ENDING_WORDS[ending], words, kind });
  switch (ending) {
    case 'pass':
      return as(`${all.length === 1 ? 'the gate holds' : `all ${count(all.length)} gates hold`}${without}`, 'good');
    case 'fail':
      return as(
        `${count(failed)} of ${plural(all.length, 'gate')} ${failed === 1 ? 'does' : 'do'} not hold${without}`,
        'bad',
      );
    case 'invalid':
      return as('the numbers below must not be trusted', 'warn');
    case 'interrupted':
      return as('only what ran to its end is shown', 'warn');
    case 'unfinished':
      return as('it still runs, or was killed; only what ran to its end is shown', 'warn');
    case 'none':
      return as(`nothing was to hold${without}`, 'plain');
  }
}

function warnings(record: RunRecord, missing: string[]): Html {
  const cut = record.status === 'interrupted' && record.verdict !== 'none';
  const texts = [
    ...(cut
      ? [
          `The run ${record.finishedAt === null ? 'has not finished' : 'was interrupted'}: only what ran to its end is shown.`,
        ]
      : []),
    ...record.variants.flatMap(({ name, validity }) =>
      validity.reasons.map((reason) => `${name} is invalid: ${reason}.`),
    ),
    ...missing,
    ...(record.baseline?.differences ?? []).map((text) => `Against the baseline: ${text}.`),
  ];
  return texts.length === 0
    ? html``
    : html`<ul class="warnings">${texts.map((text) => html`<li>${text.replace(/\.\.$/, '.')}</li>`)}</ul>`;
}

function glance({ variants }: RunRecord): Html {
  if (variants.length === 0) return html``;
  const [pool] = busiestNodes(variants);
  const rows = variants.map((variant, index) => [
    variant.validity.valid ? variant.name : `${variant.name} (invalid)`,
    lost(variant, index),
    mainCause(variant),
    counted(variant.requests.due, ['variants', index, 'requests', 'due']),
    counted(variant.requests.completed, ['variants', index, 'requests', 'completed']),
    inMs(measured(variant) ? variant.latency.response.p99 : null, ['variants', index, 'latency', 'response', 'p99']),
    ...(pool === undefined ? [] : [fullness(variant, index, pool)]),
  ]);
  return table(
    'The variants at a glance',
    [
      { head: 'Variant' },
      { head: 'Lost', isNumber: true },
      { head: 'Mostly to' },
      { head: 'Requests due', isNumber: true },
      { head: 'Completed', isNumber: true },
      { head: 'Response p99, ms', isNumber: true },
      ...(pool === undefined ? [] : [{ head: `Ports of ${pool} at peak`, isNumber: true }]),
    ],
    rows,
    { hideCaption: true },
  );
}

const measured = ({ latency }: VariantRecord) => latency.response.count > 0;

function lost({ requests }: VariantRecord, index: number): Html {
  const { dropped, due } = requests;
  const shown = counted(dropped, ['variants', index, 'requests', 'dropped']);
  if (dropped === 0) return html`<span class="none">${shown}</span>`;
  return html`<strong class="loss">${shown}</strong> <small>${percent(dropped / due)}</small>`;
}

function mainCause({ requests }: VariantRecord): Html {
  const [most, ...more] = requests.byCause;
  if (most === undefined) return html`<span class="none">–</span>`;
  const { because, ...own } = most;
  return html`<code>${placeOf(own)}</code>${because !== undefined && html`<br><small>because <code>${placeOf(because)}</code></small>`}${more.length > 0 && html`<br><small>and ${plural(more.length, 'other')}</small>`}`;
}

function fullness({ ports }: VariantRecord, index: number, node: string): Html {
  if (!Object.hasOwn(ports, node)) return html`–`;
  const { peak, capacity } = ports[node];
  const path = ['variants', index, 'ports', node];
  return html`${counted(peak, [...path, 'peak'])} <small>of ${counted(capacity, [...path, 'capacity'])}</small>`;
}

function gates({ variants }: RunRecord): Html {
  const all = variants.flatMap(({ name, gates: own, skippedGates = [] }, variant) => [
    ...own.map((gate, index) => ({
      holds: gate.pass,
      row: gateRow(name, gate, ['variants', variant, 'gates', index]),
    })),
    ...skippedGates.map((gate) => ({
      holds: false,
      row: [html`<span class="skipped">! skipped</span>`, name, html`<code>${gate}</code>`, SKIPPED],
    })),
  ]);
  if (all.length === 0) return html``;
  const rows = (holds: boolean) => all.filter((one) => one.holds === holds).map(({ row }) => row);
  const [broken, held] = [rows(false), rows(true)];
  if (all.length <= FEW_GATES) return gateTable('The gates, and what they saw', [...broken, ...held]);
  const folded =
    held.length === all.length
      ? `All ${count(held.length)} gates`
      : `The ${plural(held.length, 'gate')} that ${held.length === 1 ? 'holds' : 'hold'}`;
  return html`${broken.length > 0 && gateTable('The gates that do not hold, and what they saw', broken)}${
    held.length > 0 && details(`${folded}, and what they saw`, gateTable(`${folded}, and what they saw`, held, true))
  }`;
}

function gateTable(caption: string, rows: Content[][], hideCaption = false): Html {
  const columns = [
    { head: 'Gate' },
    { head: 'Variant' },
    { head: 'What must hold' },
    { head: 'Observed', isNumber: true },
  ];
  return table(caption, columns, rows, { hideCaption });
}

function gateRow(variant: string, gate: GateResult, path: (string | number)[]): Content[] {
  const behind = against(gate);
  return [
    html`<span class="${gate.pass ? 'holds' : 'fails'}">${gate.pass ? '✓ holds' : '✗ fails'}</span>`,
    variant,
    html`<code>${gate.gate}</code>`,
    html`${gate.observed === null ? 'not measured' : number(gate.observed, observed(gate), [...path, 'observed'])}${behind !== '' && html`<br><small>${behind}</small>`}`,
  ];
}

function happened({ variants, placement }: RunRecord): Html {
  const events = eventLines(variants).map(({ variants: names, events: text }) =>
    names.length === variants.length ? `Events: ${text}` : `Events of ${list(names)}: ${text}`,
  );
  const attacks = attackLines(variants).map(({ variant, attack }) => `Attack on ${variant}: ${attack}`);
  const warnings = variants.flatMap(({ name, warnings = [] }) => warnings.map((text) => `${name}: ${text}`));
  const notes = new Set(variants.flatMap(({ generator }) => generator.notes ?? []));
  if (placement !== undefined) notes.add(placementText(placement));
  const all = [...events, ...attacks, ...warnings, ...notes];
  return all.length === 0 ? html`` : html`<ul class="notes">${all.map((text) => html`<li>${text}</li>`)}</ul>`;
}
