/** Gathers what the stories of a run are told from: numbers, requests, time series, events and chains of each trial. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolPoint } from '../analysis/pool-times.js';
import type { StoryEvent, StoryInput } from '../analysis/story.js';
import { chainsOf, chosenTrials, type TrialFilter } from './find-request.js';
import { readLines } from './read-lines.js';
import { openRequests } from './read-requests.js';
import type { RunRecord } from './run-record.js';

type SeriesLine = { variant: string; trial: number } & (
  | ({ type: 'sample' } & PoolPoint)
  | ({ type: 'event' } & StoryEvent)
  | { type: 'trial' }
);

/** What the stories are told from, one trial after the other, and what the record lacks. */
export interface StorySources {
  trials: StoryInput[];
  /** Sentences. */
  missing: string[];
}

/**
 * Reads the run in this folder.
 * @throws PortPartyError (exit 2) when the filter leaves no trial
 */
export function readStories(dir: string, record: RunRecord, filter: TrialFilter): StorySources {
  const file = join(dir, 'requests.bin');
  const reader = openRequests(file);
  const headers = chosenTrials(reader.trials, filter, file);
  const chains = chainsOf(dir);
  const isOf = (header: { variant: string; trial: number }) => (one: { variant: string; trial: number }) =>
    one.variant === header.variant && one.trial === header.trial;
  const lines = [...readLines<SeriesLine>(join(dir, 'series.ndjson'))];
  const trials = headers.map((header): StoryInput => {
    const own = lines.filter(isOf(header));
    return {
      variant: header.variant,
      trial: record.variants
        .find(({ name }) => name === header.variant)
        ?.perTrial.find(({ trial }) => trial === header.trial),
      trialNumber: header.trial,
      chain: chains.find(isOf(header)),
      requests: { [Symbol.iterator]: () => reader.rows({ trial: header }) },
      samples: own.filter((line) => line.type === 'sample'),
      events: own.filter((line) => line.type === 'event'),
    };
  });
  return { trials, missing: missingOf(dir, record, trials, reader.truncated) };
}

function missingOf(dir: string, record: RunRecord, trials: StoryInput[], truncated: boolean): string[] {
  const cut = trials
    .filter(({ trial }) => trial === undefined)
    .map(({ variant, trialNumber }) => `${variant}, trial ${trialNumber}`);
  return [
    ...(record.status === 'interrupted' && cut.length === 0
      ? ['The run was interrupted; what ran to its end is told.']
      : []),
    ...cut.map(
      (name) =>
        `${name} was cut short: its requests are known up to about two seconds before that, but no cause was decided, and its taps and logs were not read.`,
    ),
    ...(truncated ? ['The last requests before a crash are missing.'] : []),
    ...(existsSync(join(dir, 'chains.ndjson'))
      ? []
      : ['This record is from a version that did not keep the chain: there is no advice.']),
  ];
}
