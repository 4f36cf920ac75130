/** A record as Markdown, for `summary.md` and comments on pull requests. */
import type { RunRecord, VariantRecord } from '../record/run-record.js';
import { explainDifference } from './difference.js';
import { busiestNodes, count, latencyPair, list, NOTHING, placementText, placeOf, poolOf } from './format.js';
import { observedAgainst, SKIPPED } from './gate-text.js';
import { attackLines, eventLines } from './happenings.js';
import { heatMapMarkdown } from './heat-map.js';

const VERDICTS: Record<RunRecord['verdict'], string> = {
  pass: '✓ all gates hold',
  fail: '✗ gates fail',
  invalid: '! the measurement is invalid',
  none: 'no gates',
};

/** The run's summary as GitHub-flavoured Markdown. */
export function renderMarkdown(record: RunRecord): string {
  const sections = [
    `# ${text(record.scenario.name)}: ${record.verdict === 'none' && record.status === 'interrupted' ? 'interrupted' : VERDICTS[record.verdict]}`,
    text(explainDifference(record)),
    table(record.variants),
    heatMapMarkdown(record.variants, text),
    events(record.variants),
    attacks(record.variants),
    invalid(record.variants),
    warnings(record.variants),
    gates(record.variants),
    baseline(record),
    `Run \`${record.id}\`, ${record.status}, driver ${record.driver}, kernel ${text(record.environment.kernel)}, seed ${record.scenario.seed}${versions(record)}${record.placement === undefined ? '' : `; ${placementText(record.placement)}`}.`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function table(variants: VariantRecord[]): string {
  if (variants.length === 0) return 'No trial ran to its end.';
  const sells = variants.some(({ tickets }) => tickets !== undefined);
  const nodes = busiestNodes(variants);
  const head = ['variant', 'due', 'completed', 'dropped', 'lost to', ...(sells ? ['tickets sold'] : [])];
  head.push('connect p50 / p99 ms', 'response p50 / p99 ms', 'ports at peak');
  const right = new Set([
    'due',
    'completed',
    'dropped',
    'tickets sold',
    'connect p50 / p99 ms',
    'response p50 / p99 ms',
  ]);
  const rows = variants.map((variant) => [
    text(variant.name),
    count(variant.requests.due),
    count(variant.requests.completed),
    count(variant.requests.dropped),
    [
      ...variant.requests.byCause.map((entry) => `${count(entry.count)} ${text(placeOf(entry))}`),
      ...variant.requests.delayed.map((entry) => `${count(entry.count)} late: ${text(placeOf(entry))}`),
    ].join('<br>') || NOTHING,
    ...(sells ? [variant.tickets === undefined ? NOTHING : count(variant.tickets.sold)] : []),
    latencyPair(variant.latency.connect),
    latencyPair(variant.latency.response),
    nodes
      .filter((node) => Object.hasOwn(variant.ports, node))
      .map((node) => text(poolOf(node, variant.ports[node])))
      .join('<br>') || NOTHING,
  ]);
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((name) => (right.has(name) ? '---:' : '---'))), ...rows.map(line)].join('\n');
}

function events(variants: VariantRecord[]): string {
  const lines = eventLines(variants).map(({ variants: names, events }) => `- ${text(list(names))}: ${text(events)}`);
  return lines.length === 0 ? '' : `## Events\n\n${lines.join('\n')}`;
}

function attacks(variants: VariantRecord[]): string {
  const lines = attackLines(variants).map(({ variant, attack }) => `- ${text(variant)}: ${text(attack)}`);
  return lines.length === 0 ? '' : `## Attacks\n\n${lines.join('\n')}`;
}

function gates(variants: VariantRecord[]): string {
  const line = (mark: string, { name }: VariantRecord, gate: string, words: string) =>
    `- ${mark} ${text(name)}: \`${gate.replace(/`/g, '')}\` (${words})`;
  const lines = variants.flatMap((variant) => [
    ...variant.gates.map((gate) =>
      line(gate.pass ? '✓' : '✗', variant, gate.gate, `observed: ${observedAgainst(gate)}`),
    ),
    ...(variant.skippedGates ?? []).map((gate) => line(NOTHING, variant, gate, SKIPPED)),
  ]);
  return lines.length === 0 ? '' : `## Gates\n\n${lines.join('\n')}`;
}

function baseline({ baseline: note }: RunRecord): string {
  if (note === undefined) return '';
  const lines = note.differences.map((difference) => `- ! ${text(difference)}`);
  return [`## Baseline\n\nHeld against run \`${note.run}\`.`, ...(lines.length > 0 ? [lines.join('\n')] : [])].join(
    '\n\n',
  );
}

function invalid(variants: VariantRecord[]): string {
  const lines = variants.flatMap(({ name, validity }) =>
    validity.reasons.map((reason) => `- ${text(name)}: ${text(reason)}`),
  );
  return lines.length === 0 ? '' : `## Why the measurement is invalid\n\n${lines.join('\n')}`;
}

function warnings(variants: VariantRecord[]): string {
  const lines = variants.flatMap(({ name, warnings = [] }) =>
    warnings.map((words) => `- ! ${text(name)}: ${text(words)}`),
  );
  return lines.length === 0 ? '' : `## Warnings\n\n${lines.join('\n')}`;
}

function versions({ environment }: RunRecord): string {
  return Object.entries(environment.versions)
    .map(([name, version]) => `, ${name} ${text(version)}`)
    .join('');
}

/** Keeps a name or a sentence from being read as Markdown. */
function text(plain: string): string {
  return plain.replace(/[\\|<>*_`[\]]/g, (character) => `\\${character}`).replace(/\s*\n\s*/g, ' ');
}
