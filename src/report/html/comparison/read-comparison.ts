/** Reads several runs into what the page that compares them shows. Of each only that much is read; what is kept of it is bounded. */
import { compareRuns } from '../../../analysis/comparison/compare.js';
import { PortPartyError, usageError } from '../../../errors.js';
import { chainsOf } from '../../../record/find-request.js';
import { findRun, readRun } from '../../../record/read-record.js';
import type { RunRecord } from '../../../record/run-record.js';
import { count } from '../../format.js';
import { readCourse } from '../read-report.js';
import { settingsOf } from '../sections/settings.js';
import type { ComparedRun, ComparisonData } from './comparison-data.js';
import { overlayOf, type ToldRun } from './overlay.js';
import type { RunCurve } from './overlay-data.js';

const LETTERS = 'ABCDEFGHIJKL';
/** Variants in the tables, and those of them that are drawn. */
const MOST_VARIANTS = 40;
const MOST_DRAWN = 8;
/** The chance that any verdict on the whole page is false. */
const ALPHA = 0.05;

/**
 * All that the page of two to twelve runs shows. Runs are found as by `readRun`.
 * @throws PortPartyError (exit 2) when one is not there, is named twice, or its record is damaged
 */
export function readComparison(names: readonly string[], resultsDir?: string): ComparisonData {
  if (names.length < 2 || names.length > LETTERS.length)
    throw usageError(
      `${count(names.length)} runs cannot be shown beside each other`,
      undefined,
      `name 2 to ${LETTERS.length} of them`,
    );
  const found = names.map((name) => ({ name, dir: findRun(name, resultsDir) }));
  const records = found.map(({ dir }) => readRun(dir));
  refuseTwice(
    found.map(({ name }) => name),
    records,
  );
  const { shown, left, drawn } = choose(records);
  const curves: RunCurve[] = [];
  const told: ToldRun[] = [];
  const runs = found.map(({ dir }, run): ComparedRun => {
    const course = readCourse(dir, records[run], drawn);
    for (const curve of course.curves) {
      const place = drawn.indexOf(curve.variant);
      if (curve.count > 0) curves.push({ ...curve, variant: `${LETTERS[run]} ${curve.variant}`, run, place });
    }
    told.push({ run, told: course.told });
    return {
      letter: LETTERS[run],
      dir,
      record: records[run],
      missing: course.missing,
      settings: settingsIn(dir, shown),
    };
  });
  return {
    runs,
    variants: shown,
    left,
    against: runs.slice(1).map(({ letter, record }) => ({ letter, ...against(records[0], record, runs.length - 1) })),
    overlays: drawn.map((variant) => overlayOf(variant, told)).filter(({ lines }) => lines.length > 0),
    curves: curves.sort((a, b) => a.place - b.place || a.run - b.run),
  };
}

function refuseTwice(names: string[], records: RunRecord[]): void {
  records.forEach(({ id }, index) => {
    const first = records.findIndex((record) => record.id === id);
    if (first === index) return;
    const both = names[first] === names[index] ? names[index] : `${names[first]} and ${names[index]}`;
    throw usageError('the same run is named twice', both, `it is ${id}; name another one`);
  });
}

/** Of many variants those that lost the most in any run; all in the order in which they first appear. */
function choose(records: RunRecord[]): { shown: string[]; left: string[]; drawn: string[] } {
  const worst = new Map<string, { runs: number; lost: number }>();
  for (const { variants } of records) {
    for (const { name, requests } of variants) {
      const known = worst.get(name) ?? { runs: 0, lost: 0 };
      worst.set(name, { runs: known.runs + 1, lost: Math.max(known.lost, requests.dropped) });
    }
  }
  const all = [...worst.keys()];
  const order = all.toSorted((a, b) => {
    const [x, y] = [worst.get(a)!, worst.get(b)!];
    return y.runs - x.runs || y.lost - x.lost;
  });
  const within = (most: number) => {
    const kept = new Set(order.slice(0, most));
    return all.filter((name) => kept.has(name));
  };
  const shown = within(MOST_VARIANTS);
  return { shown, left: all.filter((name) => !shown.includes(name)), drawn: within(MOST_DRAWN) };
}

/** All trials of a variant have the same ones. */
function settingsIn(dir: string, variants: string[]): ComparedRun['settings'] {
  const all = new Map<string, Record<string, string>>();
  for (const chain of chainsOf(dir))
    if (variants.includes(chain.variant) && !all.has(chain.variant))
      all.set(chain.variant, Object.fromEntries(settingsOf(chain)));
  return Object.fromEntries(all);
}

/** As `compare` does it, but surer where several runs share the chance of a false alarm (Bonferroni's inequality). */
function against(
  first: RunRecord,
  other: RunRecord,
  comparisons: number,
): { kind: 'made'; comparison: ReturnType<typeof compareRuns> } | { kind: 'refused'; why: string } {
  try {
    const confidence = Number((1 - ALPHA / comparisons).toPrecision(4));
    return { kind: 'made', comparison: compareRuns(first, other, { confidence }) };
  } catch (error) {
    if (!(error instanceof PortPartyError)) throw error;
    return { kind: 'refused', why: error.message.replace(/^not comparable: /, '') };
  }
}
