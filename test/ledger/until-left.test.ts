import { expect, it } from 'vitest';
import { untilLeft } from '../../src/ledger/until-left.js';
import type { Sighting, UpstreamTry } from '../../src/nodes/kind.js';

const one = (endedAt: number, changes: Partial<UpstreamTry> = {}): UpstreamTry => ({
  to: '198.18.1.2:8080',
  result: 'closed-early',
  endedAt,
  evidence: '',
  ...changes,
});
const left = (tries: UpstreamTry[]) =>
  untilLeft(
    { id: 'r', host: 'proxy', startedAt: 0, endedAt: 9000, status: 503, peer: '', tries, evidence: '' } as Sighting,
    1000,
  ).tries.map(({ result, endedAt }) => [result, endedAt]);

it('what was under way when the client left had no answer, and what came after does not count', () => {
  expect(left([one(200), one(5000, { connectMs: 3 }), one(9000)])).toEqual([
    ['closed-early', 200],
    ['response-timeout', 1000],
  ]);
});

it('without a finished handshake it was still connecting', () => {
  expect(left([one(5000)])).toEqual([['connect-timeout', 1000]]);
});

it('a failure that the client was about to be told of is one', () => {
  expect(left([one(1040, { result: 'refused' })])).toEqual([['refused', 1040]]);
});
