/** Reads a results folder, run by run, newest first: only `run.json` files, and of each only what the page lists. What cannot be read is said. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PortPartyError, usageError } from '../../../errors.js';
import { readRun } from '../../../record/read-record.js';
import type { RunRecord } from '../../../record/run-record.js';
import { endingOf, inWords, totalsOf } from '../run-words.js';
import type { BrokenRecord, IndexData, IndexRun } from './index-data.js';
import { newTrends } from './trends.js';

/** Runs that are read and listed, and broken records that are. */
const MOST_RUNS = 1000;
const MOST_BROKEN = 100;

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
  const runs: IndexRun[] = [];
  const broken: BrokenRecord[] = [];
  const trends = newTrends();
  let older = 0;
  for (const { folder, kind } of candidates) {
    if (runs.length === MOST_RUNS) {
      older++;
      continue;
    }
    if (kind === 'half') {
      broken.push({ folder, why: 'it holds no run.json: the run was killed as it began, or the file is gone' });
      continue;
    }
    try {
      const record = readRun(join(dir, folder));
      trends.add(record, runs.length);
      runs.push(listed(dir, folder, record));
    } catch (error) {
      broken.push({ folder, why: whyOf(error) });
    }
  }
  return {
    runs,
    scenarios: trends.finish(runs),
    broken: broken.slice(0, MOST_BROKEN),
    left: {
      runs: older,
      broken: Math.max(0, broken.length - MOST_BROKEN),
      searches: found.filter(({ kind }) => kind === 'search').length,
    },
  };
}

/** Names begin with the time: by name, the last one is the newest. */
function foldersIn(dir: string): string[] {
  try {
    return (
      readdirSync(dir, { withFileTypes: true })
        // `latest` is a link to one that is there anyway.
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
  return /^\d{8}T\d{6}Z-/.test(folder) ? 'half' : undefined;
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
