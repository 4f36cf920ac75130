/** Finds a request of a run by its id, and all that the record keeps of it or of several at once. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../errors.js';
import type { KeptWays } from '../ledger/kept-ways.js';
import type { Way } from '../ledger/way.js';
import type { ChainRecord } from './chain-record.js';
import { findLinesOf, readLines } from './read-lines.js';
import { openRequests, type RequestRow, type RequestsReader } from './read-requests.js';
import type { TrialHeader } from './requests-format.js';

/** Which trials are looked at; what is absent does not narrow the choice. */
export interface TrialFilter {
  variants?: string[];
  trial?: number;
}

/** A request and what is known of it. */
export interface FoundRequest {
  request: RequestRow;
  /** Why it was lost or late: the pieces of evidence, in the order of its way. */
  evidence: string[];
  /** Its way hop by hop; null where the record has none. */
  way: Way | null;
  chain: ChainRecord | null;
  /** What the record lacks of it, and why, in sentences. */
  missing: string[];
}

/** What an id names: one request, or a visitor with all of its requests. */
export type FoundById = { kind: 'request'; found: FoundRequest } | { kind: 'visitor'; requests: RequestRow[] };

/**
 * Looks up `<prefix>.<visitor>.<step>`, `<prefix>.<visitor>` or a visitor's number alone in the run of this folder.
 * @throws PortPartyError (exit 2) that says what ids look like, with one of this run
 */
export function findById(dir: string, id: string, filter: TrialFilter): FoundById {
  const file = join(dir, 'requests.bin');
  const reader = openRequests(file);
  const trials = chosenTrials(reader.trials, filter, file);
  const named = trials.flatMap((trial) => partsOf(id, trial) ?? []);
  const requests = named.flatMap(({ trial, visitor, step }) =>
    [...reader.rows({ trial, visitor })].filter(
      (row) => step === undefined || row.id === `${trial.idPrefix}.${visitor}.${step}`,
    ),
  );
  if (requests.length === 0) throw unknown(id, reader, trials, named.length > 0, file);
  if (named.some(({ step }) => step === undefined)) return { kind: 'visitor', requests };
  const [found] = withKept(dir, requests.slice(0, 1));
  return { kind: 'request', found };
}

/** The trials of a run that the filter leaves. @throws PortPartyError (exit 2) when there are none */
export function chosenTrials(trials: TrialHeader[], { variants, trial }: TrialFilter, file: string): TrialHeader[] {
  const names = [...new Set(trials.map((one) => one.variant))];
  for (const variant of variants ?? [])
    if (!names.includes(variant))
      throw usageError(
        `the run has no variant "${variant}"`,
        file,
        names.length > 0 ? `it has ${names.join(', ')}` : undefined,
      );
  const found = trials.filter(
    (one) => (variants === undefined || variants.includes(one.variant)) && (trial === undefined || one.trial === trial),
  );
  const numbers = [...new Set(trials.map((one) => one.trial))];
  if (found.length === 0 && trial !== undefined)
    throw usageError(`the run has no trial ${trial}`, file, `it has ${numbers.join(', ') || 'none'}`);
  return found;
}

interface NamedRow {
  trial: TrialHeader;
  visitor: number;
  step: number | undefined;
}

/** An id's numbers, when it may be one of this trial. The number of a try behind it is not looked at. */
function partsOf(id: string, trial: TrialHeader): NamedRow | undefined {
  const rest = id.startsWith(`${trial.idPrefix}.`) ? id.slice(trial.idPrefix.length + 1) : id;
  const isBare = rest === id;
  const match = /^(\d{1,9})(?:\.(\d{1,3})(?:\.\d{1,3})?)?$/.exec(rest);
  if (match === null || (isBare && match[2] !== undefined)) return undefined;
  return { trial, visitor: Number(match[1]), step: match[2] === undefined ? undefined : Number(match[2]) };
}

function unknown(id: string, reader: RequestsReader, trials: TrialHeader[], looksRight: boolean, file: string): Error {
  const example = anExample(reader, trials);
  if (example === undefined) return usageError(`there is no request "${id}": the run recorded none`, file);
  const cut = reader.truncated ? '; the end of the record is missing, and it may have been there' : '';
  return usageError(
    looksRight ? `no request "${id}" came due in this run${cut}` : `there is no request "${id}" in this run`,
    file,
    `ids are <variant>.<trial>.<visitor>.<step>, such as ${example.id} (${example.variant}, visitor ${example.visitor}, ${example.step}); ` +
      '`portparty requests` lists them, --dropped only the lost ones',
  );
}

/** A request to point at: one that was lost, where there is one among the first. */
function anExample(reader: RequestsReader, trials: TrialHeader[]): RequestRow | undefined {
  let first: RequestRow | undefined;
  for (const trial of trials) {
    let looked = 0;
    for (const row of reader.rows({ trial })) {
      first ??= row;
      if (row.state === 'dropped') return row;
      if (++looked === LOOKED_AT) break;
    }
  }
  return first;
}

const LOOKED_AT = 100_000;

/** A line behind the ways of a trial that ran to its end. */
interface KeptLine {
  variant: string;
  trial: number;
  kept?: KeptWays;
}

/** Requests with what the other files of the record tell of them, in their order. However many they are, each file is read once. */
export function withKept(dir: string, requests: readonly RequestRow[]): FoundRequest[] {
  if (requests.length === 0) return [];
  const ids = new Set(requests.map(({ id }) => id));
  const waysFile = join(dir, 'ways.ndjson');
  const kept: KeptLine[] = [];
  const ways = findLinesOf<Way, KeptLine>(waysFile, ids, (line) => {
    if (line.kept !== undefined) kept.push(line);
  });
  const evidence = findLinesOf<{ evidence: string[] }>(join(dir, 'evidence.ndjson'), ids);
  const chains = chainsOf(dir);
  return requests.map((request) => {
    const isOf = (one: { variant: string; trial: number }) =>
      one.variant === request.variant && one.trial === request.trial;
    const way = ways.get(request.id) ?? null;
    return {
      request,
      way,
      evidence: evidence.get(request.id)?.evidence ?? [],
      chain: chains.find(isOf) ?? null,
      missing: way === null ? [whyNoWay(request, existsSync(waysFile), kept.find(isOf)?.kept)] : [],
    };
  });
}

/** The chains of a run's trials, one each; `dir` is the run's folder. Empty where the record has none. */
export function chainsOf(dir: string): (ChainRecord & { variant: string; trial: number })[] {
  return [...readLines<ChainRecord & { variant: string; trial: number }>(join(dir, 'chains.ndjson'))];
}

function whyNoWay({ cause }: RequestRow, hasWays: boolean, kept: KeptWays | undefined): string {
  const onlyClient = 'only what its client saw is shown';
  if (!hasWays) return `This record is from a version that kept no ways of single requests; ${onlyClient}.`;
  if (kept === undefined)
    return `The trial was cut short: taps and logs were not read, and causes not decided; ${onlyClient}.`;
  return cause === null
    ? `Of this many completed requests the record keeps the ways of every ${kept.visitorsEvery}th visitor (0, ${kept.visitorsEvery}, ${2 * kept.visitorsEvery}, …); ${onlyClient}.`
    : `Of this many lost requests the record keeps the way of every ${kept.lostEvery}th; ${onlyClient}, and the evidence.`;
}
