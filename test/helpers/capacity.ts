/** Records of searches for capacity made by hand. */
import type { CapacityRecord, CapacityTrial } from '../../src/record/capacity-record.js';
import { measuredNumbers } from './trials.js';

/** A trial at that level; p99 of the response in ms. */
export function capacityTrial(level: number, changes: Partial<CapacityTrial> = {}, p99Ms = 4): CapacityTrial {
  const { requests, latency, throughput, ports, generator } = measuredNumbers();
  return {
    trial: 1,
    level,
    purpose: 'bracket',
    outcome: 'pass',
    gates: [],
    reasons: [],
    judged: { fromMs: 1000, toMs: 6000, offeredPerSecond: level },
    run: 'trials/one',
    tookMs: 9000,
    ...{ requests, throughput, ports, generator },
    latency: { ...latency, response: { ...latency.response, p99: p99Ms } },
    ...changes,
  };
}

/** A search that has found 980/s. */
export function capacityRecord(changes: Partial<CapacityRecord> = {}): CapacityRecord {
  return {
    schema: 'portparty/capacity@1',
    id: '20261125T192318Z-office-capacity-ab12',
    startedAt: '2026-11-25T19:23:18.123Z',
    finishedAt: '2026-11-25T19:27:18.123Z',
    status: 'complete',
    scenario: { name: 'office', file: 'office.yaml', sha256: '00', seed: 1 },
    variant: 'default',
    driver: 'netns',
    driverReason: 'namespaces work here',
    environment: { kernel: '6.18.0', node: 'v20.20.2', cpus: 2, versions: {} },
    of: 'rate',
    gates: ['dropped == 0'],
    gatesLeftOut: [],
    settings: {
      ...{ from: 500, upTo: null, least: 2, resolution: 0.01, repeat: 3, maxTrials: 60, budgetMs: 1_200_000 },
      process: 'uniform',
    },
    trials: [
      capacityTrial(500),
      capacityTrial(980, { trial: 2 }, 1040),
      capacityTrial(1000, {
        trial: 3,
        outcome: 'fail',
        gates: [{ gate: 'dropped == 0', observed: 12, pass: false }],
        requests: {
          ...{ due: 5000, completed: 4988, dropped: 12, attempts: 5000, delayed: [] },
          byCause: [{ cause: 'ports-exhausted', at: 'edge', count: 12, evidence: [] }],
        },
      }),
    ],
    capacity: 980,
    isAtLeast: false,
    isSure: true,
    failsAt: 1000,
    end: 'resolved',
    limit: {
      what: 'chain',
      level: 1000,
      trial: 3,
      cause: 'ports-exhausted',
      at: 'edge',
      says: 'edge ran out of ports: all 500 towards shop were in use from 1.5 s to 6 s into the run.',
      advice: [{ do: 'Widen the range.', knob: 'topology.edge.ports', value: '1024-65535' }],
    },
    knee: 500,
    saturation: 998,
    notes: [],
    need: null,
    headroom: null,
    verdict: 'none',
    ...changes,
  };
}
