/** A small run written with the program's own writer: variants of which the first loses requests; whole, cut short, or with hostile names. */
import { join } from 'node:path';
import type { Verdict } from '../../../src/ledger/causes.js';
import type { ChainRecord } from '../../../src/record/chain-record.js';
import type { RunRecord } from '../../../src/record/run-record.js';
import { createRecord, type TrialEnd } from '../../../src/record/write-record.js';
import type { Outcomes } from '../../../src/traffic/outcomes.js';
import { scratch } from '../../helpers/portparty.js';
import { complete, completedOutcomes, drop, punctual, scenarioOf } from '../../helpers/trials.js';

/** What is not the usual run. */
export interface MadeOptions {
  /** The names of the variants, two or more. */
  variants?: string[];
  /** Name of the gateway. */
  edge?: string;
  /** Text in the evidence and in the log of the lost requests. */
  words?: string;
  trials?: number;
  /** The folder that holds the runs; one of the test's own unless said otherwise. */
  outDir?: string;
  /** Last port of the first variant's gateway, and requests that it loses for want of one. */
  lastPort?: number;
  lost?: number;
  driver?: 'netns' | 'docker';
  end?: 'complete' | 'interrupted';
  /** Place of the variant in whose last trial an interrupted run is cut short, the second one unless said otherwise; later ones do not begin. */
  cutAt?: number;
  /** Further nodes, each with a pool of which little is used. */
  further?: string[];
  scenarioFile?: string;
  /** Why the first variant is invalid. */
  problems?: string[];
}

/** Requests of a trial, and how many of them the first variant loses: to the gateway, and in the wake of that. */
export const DUE = 400;
export const LOST = 50;
export const IN_ITS_WAKE = 20;

/** A run in a folder of the test's own. */
export interface MadeRun {
  dir: string;
  record: RunRecord;
}

/** Writes it. */
export function madeRun(options: MadeOptions = {}): MadeRun {
  const { variants = ['as-shipped', 'wider-pool'], edge = 'edge', trials = 1, end = 'complete' } = options;
  const { cutAt = 1, further = [] } = options;
  const gates = {
    ...Object.fromEntries(variants.map((name) => [name, []])),
    [variants[0]]: ['dropped == 0'],
    [variants[1]]: ['dropped == 0', 'ports.shop.peak < 80%'],
  };
  const { scenarioFile } = options;
  const scenario = {
    ...scenarioOf(gates),
    name: 'made-run',
    ...(scenarioFile !== undefined && { file: scenarioFile }),
  };
  const writer = createRecord({
    outDir: options.outDir ?? join(scratch(), 'results'),
    scenario,
    driver: options.driver ?? 'netns',
    driverReason: 'it works here',
    environment: { kernel: '6.18', node: '20.20.2', cpus: 2, versions: { nginx: '1.22.1' } },
  });
  for (let trial = 1; trial <= trials; trial++) {
    for (const [index, variant] of variants.entries()) {
      const outcomes = completedOutcomes(DUE, 1);
      for (let row = 0; row < DUE; row++) complete(outcomes, row, 1 + (row % 7), 5 + (row % 40));
      const dropped = index === 0 ? lose(outcomes, edge, options) : new Map<number, Verdict>();
      const rows = writer.beginTrial({
        variant,
        trial,
        idPrefix: `${index}.${trial}`,
        steps: ['view-event'],
        clients: ['buyers'],
        nodes: ['buyers', edge, 'shop', ...further],
        startedAtMs: 1_790_000_000_000,
        outcomes,
        chain: chainOf(edge, index === 0 ? (options.lastPort ?? 20_099) : 65_535, further),
      });
      for (let tenth = 0; tenth <= 10; tenth++)
        rows.sample({
          timeNs: tenth * 1e8,
          inUse: {
            [edge]: index === 0 ? Math.min(100, tenth * 20) : tenth * 20,
            shop: tenth,
            ...Object.fromEntries(further.map((node) => [node, 1])),
          },
          timeWait: {},
          states: { [edge]: { ESTABLISHED: tenth * 20 }, shop: { ESTABLISHED: tenth, TIME_WAIT: 3 } },
          due: 0,
          completed: 0,
          dropped: 0,
          cpu: {},
        });
      rows.event({
        plannedNs: 2e8,
        startedNs: 2e8,
        tookMs: 4,
        text: 'kill shop',
        kinds: ['kill'],
        hosts: ['shop'],
        outcome: 'done',
      });
      if (end === 'interrupted' && index === cutAt && trial === trials) {
        rows.abandon();
        break;
      }
      rows.finish(
        endOf(outcomes, dropped, {
          edge,
          isNarrow: index === 0,
          words: options.words,
          further,
          problems: index === 0 ? options.problems : [],
        }),
      );
    }
  }
  return { dir: writer.dir, record: writer.finish(end) };
}

function lose(
  outcomes: Outcomes,
  edge: string,
  { words = 'it entered and never left', lost = LOST }: MadeOptions,
): Map<number, Verdict> {
  const dropped = new Map<number, Verdict>();
  for (let row = 200; row < 200 + lost + IN_ITS_WAKE; row++) {
    drop(outcomes, row);
    const quake = { cause: 'ports-exhausted' as const, at: edge };
    dropped.set(
      row,
      row < 200 + lost
        ? { ...quake, evidence: [`${edge}: ${words}`] }
        : { cause: 'backend-held-down', at: 'shop', because: quake, evidence: [words] },
    );
  }
  return dropped;
}

function endOf(
  outcomes: Outcomes,
  dropped: Map<number, Verdict>,
  of: { edge: string; isNarrow: boolean; further: string[]; words?: string; problems?: string[] },
): TrialEnd {
  const capacity = of.isNarrow ? 100 : 45_536;
  const ways = [...dropped.keys()].map((row) => ({
    id: `0.1.${row}.0`,
    tries: [
      {
        number: 1,
        visit: {
          host: 'shop',
          startedMs: row,
          endedMs: row + 1,
          status: 502,
          peer: '198.18.0.9:4',
          tries: [],
          said: of.words ?? 'said so',
        },
      },
    ],
  }));
  return {
    dropped,
    delayed: new Map(),
    pools: {
      [of.edge]: { capacity, peak: of.isNarrow ? 100 : 200, peakShare: (of.isNarrow ? 100 : 200) / capacity },
      shop: { capacity: 28_232, peak: 10, peakShare: 10 / 28_232 },
      ...Object.fromEntries(of.further.map((node) => [node, { capacity: 60_000, peak: 1, peakShare: 1 / 60_000 }])),
    },
    counters: { [of.edge]: { 'conntrack.insert_failed': 77 } },
    generator: punctual,
    plannedVisitors: outcomes.visitors,
    maxLatenessMs: 10,
    problems: of.problems ?? [],
    ways: { kept: { lostEvery: 1, visitorsEvery: 1 }, all: ways },
  };
}

function chainOf(edge: string, hi: number, further: string[]): ChainRecord {
  const host = (name: string) => [{ name, addresses: ['198.18.0.2'] }];
  return {
    nodes: {
      buyers: { kind: 'client', layer: 'client', to: edge, hosts: host('buyers'), spec: {} },
      [edge]: { kind: 'nat', layer: 'L3', to: 'shop', hosts: host(edge), spec: { ports: { lo: 20_000, hi } } },
      shop: { kind: 'fixed', layer: 'server', hosts: host('shop'), spec: { serviceTime: 5 } },
      ...Object.fromEntries(
        further.map((name) => [name, { kind: 'fixed', layer: 'server' as const, hosts: host(name), spec: {} }]),
      ),
    },
    traffic: {
      from: ['buyers'],
      journey: 'view-event',
      thinkTimeMs: 0,
      holdForMs: 0,
      connections: { mode: 'per-request' },
      close: 'client',
      arrivals: [{ forMs: 400, rate: { from: 1000, to: 1000 } }],
      process: 'uniform',
      timeout: { connectMs: 3000, responseMs: 5000 },
      retry: { attempts: 0, backoffMs: 0 },
      maxLatenessMs: 10,
    },
  };
}
