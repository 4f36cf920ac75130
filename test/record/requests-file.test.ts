import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PortPartyError } from '../../src/errors.js';
import type { Verdict } from '../../src/ledger/causes.js';
import { openRequests, type RequestRow, readRequests } from '../../src/record/read-requests.js';
import { createRequestsFile, settledUntil, type TrialInfo } from '../../src/record/requests-file.js';
import { RequestState } from '../../src/traffic/outcomes.js';
import { scratch } from '../helpers/portparty.js';
import { completedOutcomes, drop, exhausted, forget, heldDown } from '../helpers/trials.js';

const info: TrialInfo = {
  variant: 'as-shipped',
  trial: 1,
  idPrefix: '0.1',
  steps: ['view-event', 'hold-seat'],
  clients: ['buyers[0]', 'buyers[1]'],
  nodes: ['buyers', 'edge', 'balancer'],
  startedAtMs: 1000,
};

const requestsFile = () => join(scratch(), 'requests.bin');

describe('requests.bin', () => {
  it('gives back every request that came due, with its cause', () => {
    const path = requestsFile();
    const all = completedOutcomes(3, 2);
    drop(all, 0);
    drop(all, 3);
    all.client.set([0, 0, 1, 1, 0, 0]);
    const file = createRequestsFile(path);
    const trial = file.beginTrial(info, all);
    trial.appendRest();
    trial.appendVerdicts(
      new Map<number, Verdict>([
        [0, exhausted],
        [3, heldDown],
        [4, { ...exhausted, evidence: [] }],
      ]),
    );
    file.close();

    const rows = [...readRequests(path)];
    expect(rows.map(({ id }) => id)).toEqual(['0.1.0.0', '0.1.1.0', '0.1.1.1', '0.1.2.0', '0.1.2.1']);
    expect(rows[0]).toEqual({
      id: '0.1.0.0',
      variant: 'as-shipped',
      trial: 1,
      visitor: 0,
      step: 'view-event',
      client: 'buyers[0]',
      state: 'dropped',
      dueMs: 0,
      sentMs: 0,
      lastTryMs: 0,
      connectMs: 0,
      connectedMs: null,
      firstByteMs: null,
      doneMs: 3000,
      attempts: 1,
      status: null,
      error: 'connectTimeout',
      errno: 'ETIMEDOUT',
      connection: 0,
      localPort: 20_000,
      synRetransmits: 0,
      soldOut: false,
      cause: 'ports-exhausted',
      at: 'edge',
      because: null,
    } satisfies RequestRow);
    expect(rows[1]).toMatchObject({
      state: 'completed',
      client: 'buyers[1]',
      connectedMs: 2,
      doneMs: 6,
      status: 200,
      cause: null,
      at: null,
    });
    expect(rows[2]).toMatchObject({
      step: 'hold-seat',
      cause: 'backend-held-down',
      because: { cause: 'ports-exhausted', at: 'balancer' },
    });
    expect(rows[3]).toMatchObject({ state: 'completed', cause: 'ports-exhausted', at: 'edge' });
  });

  it('is written while the trial goes, each row once, in more than one frame', () => {
    const path = requestsFile();
    const all = completedOutcomes(40_000, 2);
    const last = all.rows - 1;
    all.state[last] = RequestState.underWay;
    const file = createRequestsFile(path);
    const trial = file.beginTrial(info, all);
    trial.appendSettled();
    expect([...readRequests(path)]).toHaveLength(0);
    trial.appendSettled();
    expect([...readRequests(path)]).toHaveLength(all.rows - 2);
    all.state[last] = RequestState.completed;
    trial.appendSettled();
    trial.appendRest();
    trial.appendRest();
    file.close();
    const ids = [...readRequests(path)].map(({ id }) => id);
    expect(ids).toHaveLength(all.rows);
    expect(new Set(ids).size).toBe(all.rows);
  });

  it('keeps several trials apart, verdicts included', () => {
    const path = requestsFile();
    const file = createRequestsFile(path);
    for (const [trial, verdict] of [
      [1, exhausted],
      [2, heldDown],
    ] as const) {
      const all = completedOutcomes(1, 2);
      drop(all, 0);
      const rows = file.beginTrial({ ...info, trial, idPrefix: `0.${trial}` }, all);
      rows.appendRest();
      rows.appendVerdicts(new Map([[0, verdict]]));
    }
    file.close();
    expect([...readRequests(path)].map(({ id, trial, cause }) => [id, trial, cause])).toEqual([
      ['0.1.0.0', 1, 'ports-exhausted'],
      ['0.2.0.0', 2, 'backend-held-down'],
    ]);
  });

  it('is readable up to the last whole frame wherever it was cut', () => {
    const path = requestsFile();
    const all = completedOutcomes(2, 2);
    const file = createRequestsFile(path);
    const first = file.beginTrial(info, all);
    first.appendRest();
    const whole = readFileSync(path).length;
    file.beginTrial({ ...info, trial: 2 }, all).appendRest();
    file.close();
    const bytes = readFileSync(path);
    expect(openRequests(path).truncated).toBe(false);
    for (let length = 8; length < bytes.length; length += 5) {
      writeFileSync(path, bytes.subarray(0, length));
      const rows = [...readRequests(path)];
      expect(rows.length).toBe(length < whole ? 0 : 4);
    }
    expect(openRequests(path).truncated).toBe(true);
  });

  it('shows requests that were under way when the trial was cut short', () => {
    const path = requestsFile();
    const all = completedOutcomes(2, 1);
    all.state[1] = RequestState.underWay;
    const file = createRequestsFile(path);
    file.beginTrial({ ...info, steps: ['view-event'] }, all).appendRest();
    file.close();
    expect([...readRequests(path)].map(({ state }) => state)).toEqual(['completed', 'under-way']);
  });

  it.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is something else', 'PK\u0003\u0004 a zip archive'],
    ['has a later format', 'PPRQ\u0009\u0000\u0000\u0000'],
  ])('is refused by name when it %s', (_, content) => {
    const path = requestsFile();
    if (content !== undefined) writeFileSync(path, content, 'latin1');
    expect(() => openRequests(path)).toThrow(PortPartyError);
    expect(() => openRequests(path)).toThrow(expect.objectContaining({ exitCode: 2, where: path }));
  });
});

describe('settled rows', () => {
  it('end before the first visitor who may still send something', () => {
    const all = completedOutcomes(5, 2);
    drop(all, 2);
    all.soldOut[4] = 1;
    forget(all, 5);
    expect(settledUntil(all, 0)).toBe(10);
    // Thinking before the second request.
    forget(all, 7);
    expect(settledUntil(all, 0)).toBe(6);
    expect(settledUntil(all, 4)).toBe(6);
    // Not arrived yet.
    forget(all, 0);
    expect(settledUntil(all, 0)).toBe(0);
  });
});
