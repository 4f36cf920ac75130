/** Records of runs that never were, with the noise of real ones: overdispersed counts, skewed latencies, stalls, a machine that drifts. */
import type { LatencySummary, RunRecord, TrialRecord, VariantRecord } from '../../src/record/run-record.js';
import { type RandomStream, randomStream } from '../../src/traffic/random.js';
import { measuredNumbers, runRecord } from './trials.js';

/** What a setting truly does. */
interface Setting {
  /** Expected drops of a trial with about 3000 requests. */
  drops: number;
  /** Factor on all response latencies. */
  slower?: number;
}

/** How a run is simulated. */
interface Simulation {
  seed: number;
  trials: number;
  settings: Record<string, Setting>;
  /** How much slower the machine gets with every trial of any setting. */
  drift?: number;
}

/** A run of these settings, interleaved by trial, every trial with arrivals of its own that all settings share. */
export function simulatedRun(
  { seed, trials, settings, drift = 0 }: Simulation,
  changes: Partial<RunRecord> = {},
): RunRecord {
  const random = randomStream(seed);
  const names = Object.keys(settings);
  const variants = new Map<string, TrialRecord[]>(names.map((name) => [name, []]));
  let machine = 1;
  for (let trial = 1; trial <= trials; trial++) {
    const due = 3000 + Math.round(55 * gaussian(random));
    const crowd = Math.exp(0.2 * gaussian(random));
    for (const name of trial % 2 === 1 ? names : names.toReversed()) {
      machine *= 1 + drift;
      variants.get(name)!.push({ trial, ...simulatedTrial(settings[name], { due, crowd, machine }, random) });
    }
  }
  const records = [...variants].map(([name, perTrial]): VariantRecord => {
    const [first] = perTrial;
    return { name, trials, ...first, gates: [], perTrial };
  });
  return runRecord(records, {
    ...changes,
    scenario: { name: 'simulated', file: 's.yaml', sha256: 'aa', seed: 1, ...changes.scenario },
  });
}

function simulatedTrial(
  { drops, slower = 1 }: Setting,
  { due, crowd, machine }: { due: number; crowd: number; machine: number },
  random: RandomStream,
) {
  const dropped = Math.min(due, overdispersed(drops * crowd, 5, random));
  const elsewhere = Math.min(due - dropped, overdispersed(0.3, 1, random));
  const completed = due - dropped - elsewhere;
  const busy = machine * Math.exp(0.1 * gaussian(random)) * (random.next() < 0.05 ? 1 + 5 * random.next() : 1);
  const peak = Math.min(500, Math.round(430 * crowd ** 0.5 * Math.exp(0.03 * gaussian(random))));
  const cause = (name: 'ports-exhausted' | 'reset', at: string, count: number) =>
    count === 0 ? [] : [{ cause: name, at, count, evidence: [] }];
  return measuredNumbers({
    requests: {
      due,
      completed,
      dropped: dropped + elsewhere,
      attempts: due,
      byCause: [...cause('ports-exhausted', 'edge', dropped), ...cause('reset', 'shop', elsewhere)],
      delayed: [],
    },
    visitors: { arrived: Math.round(due / 3), served: Math.floor(completed / 3), soldOut: 0, turnedAway: 0 },
    tickets: { stock: 5000, sold: Math.floor(completed / 3) },
    latency: { connect: percentiles(0.3 * busy, random), response: percentiles(11 * busy * slower, random) },
    throughput: { completedPerSecond: completed / (10 * Math.exp(0.02 * gaussian(random))) },
    ports: { edge: { capacity: 500, peak, peakShare: peak / 500 }, shop: { capacity: 28_232, peak: 0, peakShare: 0 } },
  });
}

function percentiles(middle: number, random: RandomStream): LatencySummary {
  const step = (spread: number) => Math.exp(Math.abs(spread * (0.5 + 0.5 * gaussian(random))));
  const p50 = middle * Math.exp(0.05 * gaussian(random));
  const p90 = p50 * step(0.3);
  const p99 = p90 * step(1);
  const p999 = p99 * step(1.5);
  return { p50, p90, p99, p999, max: p999 * 1.2, mean: p50 * 1.1, count: 3000 };
}

/** A Poisson count whose rate is gamma distributed (negative binomial): variance `mean + mean²/shape`. */
function overdispersed(mean: number, shape: number, random: RandomStream): number {
  // A gamma variable of whole shape is a sum of exponential ones.
  let rate = 0;
  for (let part = 0; part < shape; part++) rate -= (Math.log(1 - random.next()) * mean) / shape;
  if (rate > 50) return Math.max(0, Math.round(rate + Math.sqrt(rate) * gaussian(random)));
  let count = 0;
  for (let left = random.next(); left > Math.exp(-rate); left *= random.next()) count++;
  return count;
}

/** A standard normal number (Box and Muller 1958). */
export function gaussian(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
