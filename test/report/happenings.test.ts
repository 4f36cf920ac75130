/** Events and attacks in words. */
import { describe, expect, it } from 'vitest';
import { newReport } from '../../src/attacks/report.js';
import type { EventRecord, VariantRecord } from '../../src/record/run-record.js';
import { attackLines, eventLines } from '../../src/report/happenings.js';
import { renderRun } from '../../src/report/terminal.js';
import { runRecord, variantRecord } from '../helpers/trials.js';

const event = (plannedMs: number, text: string, changes: Partial<EventRecord> = {}): EventRecord => ({
  event: text,
  plannedMs,
  startedMs: plannedMs + 0.4,
  tookMs: 3,
  outcome: 'done',
  ...changes,
});

function withEvents(name: string, events?: EventRecord[]): VariantRecord {
  const variant = variantRecord(name);
  return { ...variant, perTrial: variant.perTrial.map((trial) => ({ ...trial, events })) };
}

describe('events', () => {
  const two = [event(2000, 'kill shop[1]'), event(3500, 'restart shop[1]')];

  it('are told once for all variants that had the same', () => {
    const never = [event(9000, 'pause shop', { outcome: 'never', startedMs: null })];
    expect(
      eventLines([withEvents('a', two), withEvents('quiet'), withEvents('b', two), withEvents('c', never)]),
    ).toEqual([
      { variants: ['a', 'b'], events: '2 s kill shop[1] · 3.5 s restart shop[1]' },
      { variants: ['c'], events: '9 s pause shop (never came)' },
    ]);
  });

  it('stand below the table, with the variants that had them', () => {
    const text = renderRun(runRecord([withEvents('a', two), withEvents('quiet')]), { color: false, width: 120 });
    expect(text).toContain('· events of a: 2 s kill shop[1] · 3.5 s restart shop[1]');
  });
});

describe('attacks', () => {
  const told = (report: Partial<ReturnType<typeof newReport>> & { attack: ReturnType<typeof newReport>['attack'] }) =>
    attackLines([variantRecord('a', { attackers: { mallory: { ...newReport(report.attack), ...report } } })])[0].attack;

  it('are told by what they did and met', () => {
    expect(told({ attack: 'port-scan', attempts: 1024, refused: 1000, unanswered: 23, open: ['198.18.0.2:80'] })).toBe(
      'mallory: port-scan, 1,024 attempts: 1 open (198.18.0.2:80), 1,000 refused and 23 unanswered',
    );
    expect(told({ attack: 'hold-connections', attempts: 1, held: 1 })).toBe(
      'mallory: hold-connections, 1 attempt: 1 held at a time',
    );
    expect(told({ attack: 'brute-force', attempts: 9, statuses: { 401: 9 } })).toBe(
      'mallory: brute-force, 9 attempts: 9 answered 401 and password not found',
    );
    const found = { password: 'guess-9', attempt: 9 };
    expect(told({ attack: 'brute-force', attempts: 9, statuses: { 200: 1 }, found })).toMatch(
      /1 answered 200 and password found with attempt 9$/,
    );
  });

  it('are in no variant without an attacker', () => {
    expect(attackLines([variantRecord('a')])).toEqual([]);
  });
});
