/** What was done to the chain while traffic ran, in words for people: events and attacks by variant. */
import type { AttackReport } from '../attacks/report.js';
import type { EventRecord, VariantRecord } from '../record/run-record.js';
import { count, list, plural } from './format.js';

/** Events in one line: `2.0 s kill shop[1] · 4.0 s restart shop[1]`, with the variants that had them; those that had the same in one entry. */
export function eventLines(variants: VariantRecord[]): { variants: string[]; events: string }[] {
  const lines: { variants: string[]; events: string }[] = [];
  for (const { name, perTrial } of variants) {
    // Every trial has the same events; only their times differ by a little.
    const events = perTrial.at(0)?.events?.map(inWords).join(' · ');
    if (events === undefined) continue;
    const same = lines.find((line) => line.events === events);
    if (same === undefined) lines.push({ variants: [name], events });
    else same.variants.push(name);
  }
  return lines;
}

function inWords({ event, plannedMs, outcome, failure }: EventRecord): string {
  const how = outcome === 'done' ? '' : outcome === 'never' ? ' (never came)' : ` (failed: ${failure})`;
  return `${Number((plannedMs / 1000).toFixed(3))} s ${event}${how}`;
}

/** One line per attacker and variant: `mallory: port-scan, 1,024 attempts: 1 open, 1,023 unanswered`. */
export function attackLines(variants: VariantRecord[]): { variant: string; attack: string }[] {
  return variants.flatMap(({ name, attackers }) =>
    Object.entries(attackers ?? {}).map(([node, report]) => ({
      variant: name,
      attack: `${node}: ${attackInWords(report)}`,
    })),
  );
}

const MOST_OPEN = 3;

function attackInWords(report: AttackReport): string {
  const { attack, attempts, statuses, open, found } = report;
  const counts = [
    ...(attack === 'port-scan' ? [`${count(open.length)} open${openPorts(open)}`] : []),
    ...(attack === 'hold-connections' ? [`${count(report.held)} held at a time`] : []),
    ...Object.entries(statuses).map(([status, times]) => `${count(times)} answered ${status}`),
    ...(['refused', 'unanswered', 'cut', 'failed'] as const).flatMap((what) =>
      report[what] === 0 ? [] : [`${count(report[what])} ${what}`],
    ),
    ...(attack === 'brute-force'
      ? [found === undefined ? 'password not found' : `password found with attempt ${count(found.attempt)}`]
      : []),
  ];
  return `${attack}, ${plural(attempts, 'attempt')}${counts.length === 0 ? '' : `: ${list(counts)}`}`;
}

function openPorts(open: string[]): string {
  if (open.length === 0) return '';
  const more = open.length > MOST_OPEN ? ', …' : '';
  return ` (${open.slice(0, MOST_OPEN).join(', ')}${more})`;
}
