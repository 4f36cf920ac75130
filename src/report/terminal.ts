/** A record as text for a terminal: the table of variants, why requests were lost, gates, validity. */
import pc from 'picocolors';
import type { RunRecord, VariantRecord } from '../record/run-record.js';
import { explainDifference } from './difference.js';
import { busiestNodes, count, latencyPair, list, NOTHING, placementText, placeOf, plural, poolOf } from './format.js';
import { against, observed, SKIPPED } from './gate-text.js';
import { grid, INDENT } from './grid.js';
import { attackLines, eventLines } from './happenings.js';
import { renderHeatMap } from './heat-map.js';
import { poolLevel } from './pool-level.js';
import { visibleLength, wrap } from './wrap.js';

/** What the place of printing can show. */
export interface TerminalOptions {
  color: boolean;
  /** Columns. */
  width: number;
}

/** Colours, or their absence. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Width for pipes and files, where nothing says how wide they are. */
const PLAIN_WIDTH = 120;

/** What a stream can show: no colour under NO_COLOR (https://no-color.org), on a dumb terminal, or into a pipe or file. */
export function terminalOptions(stream: NodeJS.WriteStream, environment = process.env): TerminalOptions {
  return {
    color: stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb',
    width: stream.isTTY === true && stream.columns > 0 ? stream.columns : PLAIN_WIDTH,
  };
}

/** The whole report, with a line end at its end. */
export function renderRun(record: RunRecord, options: TerminalOptions): string {
  const colors = pc.createColors(options.color);
  const width = Math.max(options.width, 40);
  const blocks = [
    heading(record, colors, width),
    table(record.variants, colors, width),
    renderHeatMap(record.variants, colors),
    happenings(record.variants, colors, width),
    paragraph(explainDifference(record), width),
    gates(record.variants, colors, width),
    baseline(record, colors, width),
    trouble(record.variants, colors, width),
    warnings(record.variants, colors, width),
    notes(record, colors, width),
    verdict(record, colors, width),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** Only what decides: why requests were lost, the gates, the verdict. */
export function renderGates(record: RunRecord, options: TerminalOptions): string {
  const colors = pc.createColors(options.color);
  const width = Math.max(options.width, 40);
  const blocks = [
    heading(record, colors, width),
    paragraph(explainDifference(record), width),
    gates(record.variants, colors, width),
    baseline(record, colors, width),
    trouble(record.variants, colors, width),
    verdict(record, colors, width),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function heading(record: RunRecord, colors: Colors, width: number): string {
  const { scenario, environment, driver } = record;
  const versions = Object.entries(environment.versions).map(([name, version]) => `${name} ${version}`);
  const trials = Math.max(1, ...record.variants.map((variant) => variant.trials));
  const facts = [driver, `kernel ${environment.kernel}`, ...versions, `seed ${scenario.seed}`]
    .concat(trials > 1 ? [`${trials} trials, counts summed`] : [])
    .join(' · ');
  return [
    colors.bold(scenario.name),
    ...wrap(facts, width - INDENT.length).map((line) => INDENT + colors.dim(line)),
  ].join('\n');
}

/** One column of the table: its head, its cell for a variant, and how it is aligned. */
interface Column {
  head: string;
  cell: (variant: VariantRecord) => string;
  align: 'left' | 'right';
}

function columnsOf(variants: VariantRecord[], colors: Colors): { name: Column; requests: Column[]; rest: Column[] } {
  const nodes = busiestNodes(variants);
  const right = (head: string, cell: Column['cell']): Column => ({ head, cell, align: 'right' });
  const left = (head: string, cell: Column['cell']): Column => ({ head, cell, align: 'left' });
  const sells = variants.some(({ tickets }) => tickets !== undefined);
  const tickets = right('tickets', (variant) =>
    variant.tickets === undefined ? NOTHING : count(variant.tickets.sold),
  );
  return {
    name: left('variant', ({ name, validity }) => (validity.valid ? colors.bold(name) : colors.yellow(`${name} !`))),
    requests: [
      right('due', ({ requests }) => count(requests.due)),
      right('completed', ({ requests }) => count(requests.completed)),
      right('dropped', ({ requests }) => (requests.dropped > 0 ? colors.red : colors.green)(count(requests.dropped))),
      left('lost to', (variant) => causesCell(variant, colors)),
    ],
    rest: [
      ...(sells ? [tickets] : []),
      right('connect ms\np50 / p99', ({ latency }) => latencyPair(latency.connect)),
      right('response ms\np50 / p99', ({ latency }) => latencyPair(latency.response)),
      left('ports at peak', (variant) => portsCell(variant, nodes, colors)),
    ],
  };
}

function causesCell({ requests }: VariantRecord, colors: Colors): string {
  const lines = requests.byCause.flatMap(({ because, ...entry }) => [
    `${count(entry.count)} ${colors.red(placeOf(entry))}`,
    ...(because === undefined ? [] : [colors.dim(`  because ${placeOf(because)}`)]),
  ]);
  const late = requests.delayed.flatMap((entry) => [
    `${count(entry.count)} late`,
    `  ${colors.yellow(placeOf(entry))}`,
  ]);
  return [...lines, ...late].join('\n') || colors.dim(NOTHING);
}

function portsCell({ ports }: VariantRecord, nodes: string[], colors: Colors): string {
  const lines = nodes
    .filter((node) => Object.hasOwn(ports, node))
    .map((node) => {
      const share = ports[node].peakShare;
      const paint = { full: colors.red, tight: colors.yellow, easy: (text: string) => text }[poolLevel(share)];
      return paint(poolOf(node, ports[node]));
    });
  return lines.join('\n') || colors.dim(NOTHING);
}

/** One table where it fits, else two below each other, else a list per variant. */
function table(variants: VariantRecord[], colors: Colors, width: number): string {
  if (variants.length === 0) return `${INDENT}No trial ran to its end.`;
  const { name, requests, rest } = columnsOf(variants, colors);
  const inOne = [[name, ...requests, ...rest]];
  const inTwo = [
    [name, ...requests],
    [name, ...rest],
  ];
  for (const [grids, gap] of [[inOne, 3] as const, [inOne, 2] as const, [inTwo, 3] as const, [inTwo, 2] as const]) {
    const text = grids
      .map((columns) =>
        grid(
          columns.map(({ head, align }) => ({ head: colors.dim(head), align })),
          variants.map((variant) => columns.map(({ cell }) => cell(variant))),
          gap,
        ),
      )
      .join('\n\n');
    if (text.split('\n').every((line) => visibleLength(line) <= width)) return text;
  }
  return variants.map((variant) => stacked(variant, [name, ...requests, ...rest], width)).join('\n\n');
}

function stacked(variant: VariantRecord, [name, ...columns]: Column[], width: number): string {
  const labels = columns.map(({ head }) => head.replace('\n', ' '));
  const widest = Math.max(...labels.map((label) => label.length));
  const indent = INDENT.repeat(2);
  const lines = columns.map(({ cell }, index) => {
    const values = cell(variant).split('\n');
    const beside = [indent + labels[index].padEnd(widest), ...values.slice(1).map(() => indent + ' '.repeat(widest))];
    const text = values.map((value, line) => `${beside[line]}  ${value}`);
    if (text.every((line) => visibleLength(line) <= width)) return text.join('\n');
    return [indent + labels[index], ...values.map((value) => `${indent}  ${value}`)].join('\n');
  });
  return [INDENT + name.cell(variant), ...lines].join('\n');
}

function happenings(variants: VariantRecord[], colors: Colors, width: number): string {
  const events = eventLines(variants).map(({ variants: names, events }) => {
    const whose = names.length === variants.length ? 'events' : `events of ${list(names)}`;
    return `${whose}: ${events}`;
  });
  const attacks = attackLines(variants).map(({ variant, attack }) => `${colors.bold(variant)}  ${attack}`);
  return [...events, ...attacks].map((line) => hanging(colors.dim('·'), line, width, (text) => text)).join('\n');
}

function gates(variants: VariantRecord[], colors: Colors, width: number): string {
  const all = variants.flatMap(({ name, gates, skippedGates = [] }) => [
    ...gates.map((gate) => ({
      name,
      text: gate.gate,
      mark: gate.pass ? colors.green('✓') : colors.red('✗'),
      seen: gate.pass ? colors.dim(observed(gate)) : colors.red(observed(gate)),
      behind: against(gate),
    })),
    ...skippedGates.map((text) => ({ name, text, mark: colors.yellow('!'), seen: colors.yellow(SKIPPED), behind: '' })),
  ]);
  if (all.length === 0) return '';
  const nameWidth = Math.max(...all.map(({ name }) => name.length));
  const gateWidth = Math.max(...all.map(({ text }) => text.length));
  const lines = all.flatMap(({ name, text, mark, seen, behind }) => {
    const line = `${INDENT}${mark} ${name.padEnd(nameWidth)}  ${text.padEnd(gateWidth)}  ${seen}`;
    const fits = visibleLength(line) <= width;
    const indent = INDENT.repeat(2);
    return [
      ...(fits ? [line] : [`${INDENT}${mark} ${name}`, `${indent}${text}  ${seen}`]),
      ...wrap(behind, width - indent.length).map((part) => indent + colors.dim(part)),
    ];
  });
  return [`${INDENT}${colors.dim('gates, and what they saw')}`, ...lines].join('\n');
}

function baseline({ baseline: note }: RunRecord, colors: Colors, width: number): string {
  if (note === undefined) return '';
  const differences = note.differences.map((text) => hanging(colors.yellow('!'), text, width, colors.yellow));
  return [hanging(colors.dim('·'), `held against run ${note.run}`, width, colors.dim), ...differences].join('\n');
}

function trouble(variants: VariantRecord[], colors: Colors, width: number): string {
  return variants
    .flatMap(({ name, validity }) => validity.reasons.map((reason) => `${name} is invalid: ${reason}`))
    .map((text) => hanging(colors.yellow('!'), text, width, colors.yellow))
    .join('\n');
}

function warnings(variants: VariantRecord[], colors: Colors, width: number): string {
  return variants
    .flatMap(({ name, warnings = [] }) => warnings.map((text) => `${name}: ${text}`))
    .map((text) => hanging(colors.yellow('!'), text, width, colors.yellow))
    .join('\n');
}

function notes({ variants, placement }: RunRecord, colors: Colors, width: number): string {
  const said = new Set(variants.flatMap(({ generator }) => generator.notes ?? []));
  if (placement !== undefined) said.add(placementText(placement));
  return [...said].map((note) => hanging(colors.dim('·'), note, width, colors.dim)).join('\n');
}

function verdict(record: RunRecord, colors: Colors, width: number): string {
  const gateCount = record.variants.reduce((sum, { gates }) => sum + gates.length, 0);
  const failed = record.variants.reduce((sum, { gates }) => sum + gates.filter(({ pass }) => !pass).length, 0);
  const skipped = record.variants.reduce((sum, { skippedGates = [] }) => sum + skippedGates.length, 0);
  const without = skipped === 0 ? '' : `; ${plural(skipped, 'gate')} skipped for want of a baseline`;
  const words: Record<RunRecord['verdict'], string> = {
    pass: `${colors.green(colors.bold('PASS'))}  ${gateCount === 1 ? 'the gate holds' : `all ${count(gateCount)} gates hold`}${without}`,
    fail: `${colors.red(colors.bold('FAIL'))}  ${count(failed)} of ${plural(gateCount, 'gate')} ${failed === 1 ? 'does' : 'do'} not hold${without}`,
    invalid: `${colors.yellow(colors.bold('INVALID'))}  the numbers above must not be trusted`,
    none: record.status === 'interrupted' ? '' : (skipped === 0 ? colors.dim : colors.yellow)(`no gates${without}`),
  };
  const cut = `${colors.yellow(colors.bold('INTERRUPTED'))}  only what ran to its end is shown`;
  const lines = [words[record.verdict], record.status === 'interrupted' ? cut : ''].filter((line) => line !== '');
  const run = `run ${record.id}`;
  const last = lines.at(-1)!;
  const sameLine = visibleLength(INDENT + last) + 3 + run.length <= width;
  const closing = sameLine ? [...lines.slice(0, -1), `${last}   ${colors.dim(run)}`] : [...lines, colors.dim(run)];
  return closing.map((line) => INDENT + line).join('\n');
}

function paragraph(text: string, width: number): string {
  return wrap(text, width - INDENT.length)
    .map((line) => INDENT + line)
    .join('\n');
}

/** A mark, and a text that stays to the right of it. */
export function hanging(mark: string, text: string, width: number, paint: (text: string) => string): string {
  const lines = wrap(text, width - INDENT.length - 2).map(paint);
  return lines.map((line, index) => `${INDENT}${index === 0 ? mark : ' '} ${line}`).join('\n');
}
