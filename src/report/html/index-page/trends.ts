/** Gathers the gates of many runs into trends: the same metric of the same variant, over the runs of a scenario, in a bounded number of points. */
import { isRelative, parseGate } from '../../../analysis/gate-expression.js';
import type { GateResult, RunRecord } from '../../../record/run-record.js';
import type { IndexRun, IndexScenario, Trend, TrendPoint } from './index-data.js';

/** What a run is gathered from. */
export interface GatesOfRun extends Pick<RunRecord, 'scenario' | 'driver'> {
  /** All of the run, as the place of each is told. */
  variants: Pick<RunRecord['variants'][number], 'name' | 'gates' | 'validity'>[];
}

/** Gathers runs, the newest first. */
export interface TrendGatherer {
  /** Takes the gates of a run; `place` is its place in the list. */
  add(run: GatesOfRun, place: number): void;
  /** What was gathered. */
  finish(runs: IndexRun[]): IndexScenario[];
}

/** Trends of one scenario, of the whole page, and points of all of them together. */
const MOST_OF_SCENARIO = 12;
const MOST_TRENDS = 120;
const MOST_POINTS = 4800;
/** Points of one trend, at least and at most. */
const [FEWEST_SHOWN, MOST_SHOWN] = [12, 60];
/** Endings that a scenario's course shows. */
const MOST_COURSE = 20;

interface Gathered extends Omit<Trend, 'points' | 'left' | 'driver'> {
  driver: string;
  points: (Omit<TrendPoint, 'isChanged'> & { sha256: string })[];
}

/** Nothing gathered yet. */
export function newTrends(): TrendGatherer {
  const scenarios = new Map<string, Map<string, Gathered>>();
  return {
    add(record, run) {
      const { name, sha256 } = record.scenario;
      const trends = scenarios.get(name) ?? new Map<string, Gathered>();
      scenarios.set(name, trends);
      record.variants.forEach((variant, variantAt) => {
        variant.gates.forEach((gate, gateAt) => {
          const read = readGate(gate);
          if (read === undefined) return;
          const { metric, operator, unit, bound } = read;
          const key = JSON.stringify([variant.name, metric, operator, unit, record.driver]);
          const trend = trends.get(key) ?? {
            variant: variant.name,
            driver: record.driver,
            metric,
            operator,
            unit,
            points: [],
          };
          trends.set(key, trend);
          const { observed, pass } = gate;
          const { valid } = variant.validity;
          trend.points.push({ run, observed, bound, pass, valid, at: [variantAt, gateAt], sha256 });
        });
      });
    },
    finish(runs) {
      const chosen = [...scenarios].map(([name, trends]) => ({
        name,
        all: [...trends.values()],
        kept: mostTelling([...trends.values()], MOST_OF_SCENARIO),
      }));
      let room = MOST_TRENDS;
      for (const scenario of chosen) {
        scenario.kept = scenario.kept.slice(0, room);
        room -= scenario.kept.length;
      }
      const number = Math.max(1, MOST_TRENDS - room);
      const most = Math.max(FEWEST_SHOWN, Math.min(MOST_SHOWN, Math.floor(MOST_POINTS / number)));
      return chosen.map(({ name, all, kept }): IndexScenario => {
        const own = runs.filter(({ scenario }) => scenario === name);
        const drivers = new Set(own.map(({ driver }) => driver));
        return {
          name,
          runs: own.length,
          course: own
            .slice(0, MOST_COURSE)
            .map(({ ending }) => ending)
            .reverse(),
          trends: kept.map((trend) => finished(trend, most, drivers.size > 1)),
          left: all.length - kept.length,
        };
      });
    },
  };
}

/** A gate of another version may be one that this one cannot read. */
function readGate({ gate, baseline }: GateResult) {
  try {
    const expression = parseGate(gate);
    const metric = /^[^\s=!<>≤≥]*/.exec(gate.trim())![0];
    const { operator, unit } = expression;
    const bound = isRelative(expression) ? (baseline?.bound ?? null) : expression.value;
    return { metric, operator, unit, bound };
  } catch {
    return undefined;
  }
}

/** Those that several runs saw before all others; then those that fail now, then those that failed most often, then those nearest to their bound; among equals the first ones. */
function mostTelling(trends: Gathered[], most: number): Gathered[] {
  const fails = ({ pass, valid }: Gathered['points'][number]) => valid && !pass;
  const failed = ({ points }: Gathered) => points.filter(fails).length;
  const isCourse = ({ points }: Gathered) => Number(points.length > 1);
  const failsNow = ({ points }: Gathered) => Number(fails(points[0]));
  return trends
    .toSorted(
      (a, b) =>
        isCourse(b) - isCourse(a) || failsNow(b) - failsNow(a) || failed(b) - failed(a) || nearness(b) - nearness(a),
    )
    .slice(0, most);
}

/** 1 where the newest value lies at its bound, 0 where it is far. A count that must be 0, and is, has no room to come near. */
function nearness({ points: [{ observed, bound }] }: Gathered): number {
  if (observed === null || bound === null) return 1;
  const larger = Math.max(Math.abs(observed), Math.abs(bound));
  return larger === 0 ? 0 : 1 - Math.abs(observed - bound) / larger;
}

function finished({ driver, points, ...trend }: Gathered, most: number, hasDrivers: boolean): Trend {
  // The newest came first.
  const shown = points.slice(0, most).reverse();
  return {
    ...trend,
    ...(hasDrivers && { driver }),
    points: shown.map(({ sha256, ...point }, index) => ({
      ...point,
      isChanged: index > 0 && shown[index - 1].sha256 !== sha256,
    })),
    left: points.length - shown.length,
  };
}
