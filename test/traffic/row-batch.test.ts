/** Outcomes that travel: what arrives is what was sent, under the names that the whole trial knows. */
import { expect, it } from 'vitest';
import type { PlanPart } from '../../src/traffic/engine.js';
import { ClientError, COLUMNS, type Outcomes, outcomes, RequestState } from '../../src/traffic/outcomes.js';
import { applyRows, rowChanges } from '../../src/traffic/row-batch.js';
import { complete, drop } from '../helpers/trials.js';

/** Visitors 1, 4, 7, … of a whole of three clients. */
const SECOND_OF_THREE: PlanPart = { period: 3, offsets: [1], clients: [1], clientsInAll: 3, index: 1, of: 3 };

function values(out: Outcomes, row: number): number[] {
  return COLUMNS.map(([name]) => out[name][row]);
}

it('tells a row once for each state that it gets', () => {
  const out = outcomes(4, 2);
  const changes = rowChanges(out);
  expect(changes.byState()).toEqual([]);
  out.state[3] = RequestState.underWay;
  expect(changes.byState().map(({ rows }) => [...rows])).toEqual([[3]]);
  expect(changes.byState()).toEqual([]);
  complete(out, 3, 1, 5);
  expect(changes.byState().map(({ rows }) => [...rows])).toEqual([[3]]);
  expect(changes.all()).toEqual([]);
});

it('tells at the end what was not finished when the state was told', () => {
  const out = outcomes(4, 1);
  const changes = rowChanges(out);
  complete(out, 2, 1, 5);
  changes.byState();
  out.soldOut[2] = 1;
  out.doneNs[2] += 1;
  expect(changes.byState()).toEqual([]);
  expect(changes.all().map(({ rows }) => [...rows])).toEqual([[2]]);
  expect(changes.all()).toEqual([]);
});

it('brings every value of every row to its place in the whole', () => {
  const out = outcomes(5, 2);
  const whole = outcomes(15, 2);
  const untouched = outcomes(15, 2);
  const changes = rowChanges(out);
  for (let row = 0; row < out.rows; row += 2) complete(out, row, 1, 5);
  out.state[1] = RequestState.underWay;
  for (const batch of changes.byState()) applyRows(whole, SECOND_OF_THREE, batch);
  drop(out, 4);
  out.error[6] = ClientError.reset;
  for (const batch of changes.all()) applyRows(whole, SECOND_OF_THREE, batch);
  for (let visitor = 0; visitor < 15; visitor++)
    for (let step = 0; step < 2; step++) {
      const row = visitor * 2 + step;
      if (visitor % 3 !== 1) {
        expect(values(whole, row)).toEqual(values(untouched, row));
        continue;
      }
      const own = Math.floor(visitor / 3) * 2 + step;
      const expected = outcomes(1, 1);
      for (const [name] of COLUMNS) expected[name][0] = out[name][own];
      if (out.connection[own] >= 0) expected.connection[0] = out.connection[own] * 3 + 1;
      if (out.state[own] !== RequestState.notDue) expected.client[0] = 1;
      expect(values(whole, row)).toEqual(values(expected, 0));
    }
});

it('forgets a request that was taken back', () => {
  const out = outcomes(1, 1);
  const whole = outcomes(3, 1);
  const changes = rowChanges(out);
  complete(out, 0, 1, 5);
  out.state[0] = RequestState.underWay;
  for (const batch of changes.byState()) applyRows(whole, SECOND_OF_THREE, batch);
  const fresh = outcomes(1, 1);
  for (const [name] of COLUMNS) out[name][0] = fresh[name][0];
  for (const batch of changes.all()) applyRows(whole, SECOND_OF_THREE, batch);
  expect(values(whole, 1)).toEqual(values(fresh, 0));
});

it('splits a flood into batches that other messages can pass', () => {
  const out = outcomes(250_000, 1);
  out.state.fill(RequestState.completed);
  expect(
    rowChanges(out)
      .byState()
      .map(({ rows }) => rows.length),
  ).toEqual([100_000, 100_000, 50_000]);
});
