/** Which log lines are kept: all that a verdict or a told way may ask for. */
import { describe, expect, it } from 'vitest';
import { lineFilter } from '../../src/ledger/line-filter.js';
import type { UpstreamTry } from '../../src/nodes/kind.js';
import { ClientError } from '../../src/traffic/outcomes.js';
import { behindProxy, outcomesOf, type Row, SHOPS, sighting, trafficOf, upstreamTry } from './hand-made.js';

const TRAFFIC = trafficOf(behindProxy());
const good: Row = { state: 'completed', connect: 1, connected: 2, done: 3 };
/** So many that every second visitor's way is told. */
const VISITORS = 20_000;
const visitors = Array.from({ length: VISITORS }, () => [good]);
visitors[3] = [{ ...good, state: 'dropped', error: ClientError.responseTimeout }];
visitors[5] = [{ ...good, synRetransmits: 1 }];

describe('a log line', () => {
  const filter = lineFilter(TRAFFIC, outcomesOf(visitors));
  const wanted = (...ids: string[]) => ids.filter(filter.wants);

  it('is wanted of what was lost, late or is told as an example, whatever the try', () => {
    expect(wanted('r.1.0', 'r.2.0', 'r.3.0', 'r.3.0.1', 'r.5.0', 'r.7.0')).toEqual([
      'r.2.0',
      'r.3.0',
      'r.3.0.1',
      'r.5.0',
    ]);
  });

  it('is wanted of all that is not known', () => {
    const strangers = ['other.1.0', 'r.1', 'r.1.x', 'r1.1.0', `r.${VISITORS}.0`, '', 'check of shop[0]'];
    expect(wanted(...strangers)).toEqual(strangers);
  });

  it('is wanted of what a proxy had trouble with, though it went well in the end', () => {
    const answered = upstreamTry(20, 'answered', SHOPS[1]);
    const seen = (id: string, ...tries: UpstreamTry[]) => sighting('balancer', id, [1, 3], { status: 200, tries });
    filter.follow([
      seen('r.11.0', upstreamTry(10, 'refused'), answered),
      seen('r.13.0', { ...answered, connectMs: 1003 }),
      seen('r.15.0', { ...answered, connectMs: 3 }),
    ]);
    expect(wanted('r.11.0', 'r.13.0', 'r.15.0')).toEqual(['r.11.0', 'r.13.0']);
  });
});
