/** What was done to the chain while traffic ran, in words for people: events by variant. */
import type { EventRecord, VariantRecord } from '../record/run-record.js';

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
