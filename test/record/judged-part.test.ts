/** The part of a trial that is judged: its own visitors, under their own names, and what completed in its time. */
import { expect, it } from 'vitest';
import { judgedPart } from '../../src/record/judged-part.js';
import { summariseTrial } from '../../src/record/summarise.js';
import { RequestState } from '../../src/traffic/outcomes.js';
import { completedOutcomes, exhausted, trialInput } from '../helpers/trials.js';

it('counts the visitors of that time and no other, and names its example as the whole trial does', () => {
  const all = completedOutcomes(1000, 1);
  for (const row of [10, 500, 600, 990]) all.state[row] = RequestState.dropped;
  const dropped = new Map([10, 500, 600, 990].map((row) => [row, exhausted]));
  const whole = summariseTrial(trialInput(all, { dropped }));
  const part = judgedPart({
    whole,
    outcomes: all,
    arrivalsNs: Float64Array.from({ length: 1000 }, (_, visitor) => visitor * 1e6),
    dropped,
    delayed: new Map(),
    idPrefix: '0.1',
    fromMs: 400,
    toMs: 800,
  });
  expect(whole.requests.dropped).toBe(4);
  expect(part.requests).toMatchObject({ due: 400, completed: 398, dropped: 2 });
  expect(part.requests.byCause).toMatchObject([{ cause: 'ports-exhausted', at: 'edge', count: 2 }]);
  expect(part.requests.byCause[0].evidence.map(({ source }) => source)).toContain('request 0.1.500.0');
  expect(part.visitors).toMatchObject({ arrived: 400, turnedAway: 2 });
  expect(part.latency.response.count).toBe(398);
  // Answers come 5 ms after their visitors: those of 395 to 795 ms, without the two that were lost.
  expect(part.throughput.completedPerSecond).toBe(995);
  expect(part.validity).toEqual(whole.validity);
});
