/** Reads a results folder, run by run, newest first: only `run.json` files, and of each only what the page lists. What cannot be read is said. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PortPartyError, usageError } from '../../../errors.js';
import { readRun } from '../../../record/read-record.js';
import type { RunRecord } from '../../../record/run-record.js';
import { endingOf } from '../ending.js';
import { inWords, totalsOf } from '../run-words.js';
import type { BrokenRecord, IndexData, IndexRun } from './index-data.js';
import { type GatesOfRun, newTrends } from './trends.js';

/** Runs that are read and listed, and broken records that are. */
const MOST_RUNS = 1000;
const MOST_BROKEN = 100;

/** A folder as a run names it. */
const DATED = /^\d{8}T\d{6}Z-/;

/** What a folder is taken for. */
type Found = 'run' | 'half' | 'search' | undefined;

/**
 * All that the page over a results folder shows.
 * @throws PortPartyError (exit 2) when there is no such folder, or no run in it
 */
export function readIndex(dir: string): IndexData {
  const found = foldersIn(dir).map((folder) => ({ folder, kind: kindOf(dir, folder) }));
  const candidates = found.filter(({ kind }) => kind === 'run' || kind === 'half');
  if (candidates.length === 0)
    throw usageError('there is no run in this folder', dir, 'make one with `portparty run <scenario>`');
  const dated = candidates.filter(({ folder }) => DATED.test(folder));
  // What has a name of its own, as a copy has, may be of any time.
  const others = candidates.filter(({ folder }) => !DATED.test(folder));
  const read: ReadRun[] = [];
  const broken: BrokenRecord[] = [];
  const known = new Set<string>();
  /** Reads so many, and gives those that are left. */
  function take(some: typeof candidates, most: number): typeof candidates {
    const until = read.length + most;
    for (const [index, { folder, kind }] of some.entries()) {
      if (read.length === until) return some.slice(index);
      if (kind === 'half') {
        broken.push({ folder, why: 'it holds no run.json: the run was killed as it began, or the file is gone' });
        continue;
      }
      try {
        const record = readRun(join(dir, folder));
        if (known.has(record.id)) continue;
        known.add(record.id);
        read.push({ run: listed(dir, folder, record), gates: gatesOf(record) });
      } catch (error) {
        broken.push({ folder, why: whyOf(error) });
      }
    }
    return [];
  }
  const older = take(dated, MOST_RUNS);
  // A copy of one of these is no newer than they are.
  for (const { folder } of older) known.add(folder);
  const unread = older.length + take(others, MOST_RUNS).length;
  const newest = read.sort((a, b) => byTime(b.run, a.run));
  const shown = newest.slice(0, MOST_RUNS);
  const trends = newTrends();
  for (const [place, { gates }] of shown.entries()) trends.add(gates, place);
  const runs = shown.map(({ run }) => run);
  return {
    runs,
    scenarios: trends.finish(runs),
    broken: broken.slice(0, MOST_BROKEN),
    left: {
      runs: unread + newest.length - shown.length,
      broken: Math.max(0, broken.length - MOST_BROKEN),
      searches: found.filter(({ kind }) => kind === 'search').length,
    },
  };
}

/** What is kept of a record until all are in their order. */
interface ReadRun {
  run: IndexRun;
  gates: GatesOfRun;
}

/** All records have the same form of time: that of `toISOString`. */
const byTime = (a: IndexRun, b: IndexRun) => (a.startedAt < b.startedAt ? -1 : Number(a.startedAt > b.startedAt));

function gatesOf({ scenario, driver, variants }: RunRecord): GatesOfRun {
  return { scenario, driver, variants: variants.map(({ name, gates, validity }) => ({ name, gates, validity })) };
}

/** Names that runs get begin with the time: by name, the last one is the newest. */
function foldersIn(dir: string): string[] {
  try {
    return (
      readdirSync(dir, { withFileTypes: true })
        // `latest` is a link to one that is there anyway; where it was copied, it is no link.
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map(({ name }) => name)
        .sort((a, b) => (a < b ? 1 : -1))
    );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw usageError('there is no such folder', dir, 'name the folder that holds the runs');
    if (code === 'ENOTDIR') throw usageError('this is not a folder', dir, 'name the folder that holds the runs');
    throw usageError(`the folder cannot be read: ${message}`, dir);
  }
}

function kindOf(dir: string, folder: string): Found {
  const has = (file: string) => existsSync(join(dir, folder, file));
  if (has('run.json')) return 'run';
  if (has('capacity.json') || has('tune.json')) return 'search';
  return DATED.test(folder) ? 'half' : undefined;
}

function listed(dir: string, folder: string, record: RunRecord): IndexRun {
  return {
    id: record.id,
    folder,
    hasReport: existsSync(join(dir, folder, 'report.html')),
    scenario: record.scenario.name,
    startedAt: record.startedAt,
    driver: record.driver,
    ending: endingOf(record),
    words: inWords(record),
    variants: record.variants.length,
    totals: totalsOf(record),
  };
}

/** Whatever is wrong with one record is no reason to show none. */
function whyOf(error: unknown): string {
  if (error instanceof PortPartyError) return error.message;
  return `it cannot be read: ${(error as Error).message}`;
}
