import { describe, expect, it } from 'vitest';
import { evaluateGate, evaluateGates, verdictOf } from '../../src/analysis/evaluate-gates.js';
import { newReport } from '../../src/attacks/report.js';
import type { CauseCount, LatencySummary } from '../../src/record/run-record.js';
import { losingVariant, measuredNumbers, variantRecord } from '../helpers/trials.js';

const quake: CauseCount = { cause: 'ports-exhausted', at: 'balancer', count: 2, evidence: [] };
const aftershock: CauseCount = {
  cause: 'backend-held-down',
  at: 'balancer',
  because: { cause: 'ports-exhausted', at: 'balancer' },
  count: 98,
  evidence: [],
};
const shaken = measuredNumbers({
  attackers: { mallory: { ...newReport('port-scan'), refused: 9, open: ['198.18.0.2:80'] } },
  requests: {
    due: 1000,
    completed: 893,
    dropped: 107,
    attempts: 1000,
    byCause: [aftershock, { cause: 'refused', at: 'shop', count: 7, evidence: [] }, quake],
    delayed: [{ cause: 'time-wait-collision', at: 'shop', count: 4 }],
  },
});

describe('a gate on a measured variant', () => {
  it.each([
    ['dropped == 107', 107, true],
    ['dropped.ports-exhausted == 2', 2, true],
    ['dropped.ports-exhausted@edge == 0', 0, true],
    ['dropped@balancer < 100', 100, false],
    ['rooted.ports-exhausted@balancer == 100', 100, true],
    ['rooted.ports-exhausted == 100', 100, true],
    ['rooted.backend-held-down == 98', 98, true],
    ['rooted.refused@shop != 7', 7, false],
    ['delayed <= 4', 4, true],
    ['delayed.time-wait-collision@shop > 4', 4, false],
    ['droppedShare <= 10.7%', 0.107, true],
    ['completed >= 894', 893, false],
    ['due == 1000', 1000, true],
    ['tickets.sold >= 1000', 1000, true],
    ['throughput > 950/s', 950, false],
    ['latency.response.p99 < 120ms', 120, false],
    ['latency.connect.p50 < 1ms', 0.4, true],
    ['ports.edge.peak < 80%', 812 / 64_512, true],
    ['ports.edge.peak == 812', 812, true],
    ['attack.mallory.refused < 9', 9, false],
    ['attack.mallory.open == 1', 1, true],
    ['attack.mallory.found == 0', 0, true],
  ])('%s', (gate, observed, pass) => {
    expect(evaluateGate(gate, shaken)).toEqual({ gate, observed, pass });
  });
});

describe('what was not measured fails, whatever the gate asks for', () => {
  const none: LatencySummary = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0, count: 0 };
  it.each([
    'attack.mallory.open == 0',
    'latency.connect.p99 < 250ms',
    'ports.nowhere.peak < 80%',
    'ports.toString.peak != 1',
    'tickets.sold == 0',
  ])('%s', (gate) => {
    const measured = measuredNumbers({ latency: { connect: none, response: none }, tickets: undefined });
    expect(evaluateGate(gate, measured)).toEqual({ gate, observed: null, pass: false });
  });

  it.each([
    'dropped == 0',
    'due == 0',
    'droppedShare < 1%',
    'delayed == 0',
    'throughput < 5/s',
    'ports.edge.peak < 80%',
  ])('%s where no request came due', (gate) => {
    const requests = { due: 0, completed: 0, dropped: 0, attempts: 0, byCause: [], delayed: [] };
    expect(evaluateGate(gate, measuredNumbers({ requests })).pass).toBe(false);
  });
});

describe('a gate on a baseline', () => {
  it('that is missing is refused where one gate is evaluated, and named where all of a variant are', () => {
    expect(() => evaluateGate('dropped <= baseline', shaken)).toThrow(/compares with a baseline/);
    const gates = ['dropped == 107', 'dropped <= baseline'];
    expect(evaluateGates(gates, { ...shaken, perTrial: [shaken] }, undefined)).toEqual({
      gates: [{ gate: 'dropped == 107', observed: 107, pass: true }],
      skippedGates: ['dropped <= baseline'],
    });
  });
});

describe('the verdict of a run', () => {
  const pass = { gate: 'dropped == 0', observed: 0, pass: true };
  const fail = { gate: 'dropped == 0', observed: 3, pass: false };
  const invalid = { validity: { valid: false, reasons: ['late'] } };
  const idle = { requests: { due: 0, completed: 0, dropped: 0, attempts: 0, byCause: [], delayed: [] } };

  it('passes when all gates of all variants hold', () => {
    expect(verdictOf([variantRecord('a', {}, [pass]), variantRecord('b', {}, [pass])], 'complete')).toBe('pass');
  });
  it('fails when one gate of one variant fails', () => {
    expect(verdictOf([variantRecord('a', {}, [pass]), losingVariant([fail])], 'complete')).toBe('fail');
  });
  it('is none without gates', () => {
    expect(verdictOf([losingVariant()], 'complete')).toBe('none');
  });
  it('is invalid when one variant is, though the gates hold', () => {
    expect(verdictOf([variantRecord('a', {}, [pass]), variantRecord('b', invalid, [pass])], 'complete')).toBe(
      'invalid',
    );
  });
  it('is invalid when one variant is, though a gate fails', () => {
    expect(verdictOf([variantRecord('a', invalid, [fail])], 'complete')).toBe('invalid');
  });
  it('is invalid when nothing came due or no variant ran', () => {
    expect(verdictOf([variantRecord('a', idle, [pass])], 'complete')).toBe('invalid');
    expect(verdictOf([], 'complete')).toBe('invalid');
  });
  it('never passes when the run was interrupted', () => {
    expect(verdictOf([variantRecord('a', {}, [pass])], 'interrupted')).toBe('none');
    expect(verdictOf([losingVariant([fail])], 'interrupted')).toBe('fail');
    expect(verdictOf([], 'interrupted')).toBe('none');
  });
});
