/** Gathers what the stories of a run are told from: numbers, requests, time series, events and chains, of one trial at a time. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolPoint } from '../analysis/pool-times.js';
import type { StoryEvent, StoryInput } from '../analysis/story.js';
import { chainsOf, chosenTrials, type TrialFilter } from './find-request.js';
import { readLines, type Span, spansOf } from './read-lines.js';
import { openRequests } from './read-requests.js';
import type { RunRecord } from './run-record.js';

type SeriesLine = { variant: string; trial: number } & (
  | ({ type: 'sample' } & PoolPoint)
  | ({ type: 'event' } & StoryEvent)
  | { type: 'trial' }
);

/** A trial that a story can be told of. */
export interface StorySource extends Pick<StoryInput, 'variant' | 'trial' | 'trialNumber' | 'chain' | 'requests'> {
  /** Reads its samples and events. They are many: whoever tells of several trials lets go of one's before reading the next one's. */
  read(): StoryInput;
}

/** What the stories are told from, one trial after the other, and what the record lacks. */
export interface StorySources {
  trials: StorySource[];
  /** Sentences. */
  missing: string[];
}

/**
 * Looks at the run in this folder.
 * @throws PortPartyError (exit 2) when the filter leaves no trial
 */
export function readStories(dir: string, record: RunRecord, filter: TrialFilter): StorySources {
  const file = join(dir, 'requests.bin');
  const reader = openRequests(file);
  const headers = chosenTrials(reader.trials, filter, file);
  const chains = chainsOf(dir);
  const seriesFile = join(dir, 'series.ndjson');
  const spans = spansOf(seriesFile, trialOf);
  const trials = headers.map((header): StorySource => {
    const isOf = (one: { variant: string; trial: number }) =>
      one.variant === header.variant && one.trial === header.trial;
    const source = {
      variant: header.variant,
      trial: record.variants
        .find(({ name }) => name === header.variant)
        ?.perTrial.find(({ trial }) => trial === header.trial),
      trialNumber: header.trial,
      chain: chains.find(isOf),
      requests: { [Symbol.iterator]: () => reader.rows({ trial: header }) },
    };
    const span = spans.get(`${JSON.stringify(header.variant)},"trial":${header.trial}`);
    return { ...source, read: () => ({ ...source, ...seriesIn(seriesFile, span, isOf) }) };
  });
  return { trials, missing: missingOf(dir, record, trials, reader.truncated) };
}

const VARIANT = Buffer.from('"variant":');
const TRIAL = Buffer.from(',"trial":');
const NEXT_FIELD = 0x2c;

/** Whose line of the series this is, as it stands there: parsing each line of a long run would take long. */
function trialOf(line: Buffer): string | undefined {
  const variant = line.indexOf(VARIANT);
  const trial = line.indexOf(TRIAL, variant);
  const end = line.indexOf(NEXT_FIELD, trial + TRIAL.length);
  return variant < 0 || trial < 0 || end < 0 ? undefined : line.toString('utf8', variant + VARIANT.length, end);
}

function seriesIn(
  file: string,
  span: Span | undefined,
  isOwn: (line: SeriesLine) => boolean,
): Pick<StoryInput, 'samples' | 'events'> {
  const [samples, events]: [PoolPoint[], StoryEvent[]] = [[], []];
  for (const line of span === undefined ? [] : readLines<SeriesLine>(file, span)) {
    if (!isOwn(line)) continue;
    if (line.type === 'sample') samples.push(line);
    if (line.type === 'event') events.push(line);
  }
  return { samples, events };
}

function missingOf(dir: string, record: RunRecord, trials: StorySource[], truncated: boolean): string[] {
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
