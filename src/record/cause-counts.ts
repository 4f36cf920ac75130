/** Verdicts of single requests, counted by cause, place and root, with the evidence that backs each count. */
import type { Cause, Verdict } from '../ledger/causes.js';
import type { CounterDeltas } from '../observe/observations.js';
import { errnoName } from '../sys/errno.js';
import type { Outcomes } from '../traffic/outcomes.js';
import type { CauseCount, EvidenceSummary } from './run-record.js';

/**
 * Kernel counters that move when a cause strikes a host. They count packets or attempts, never connections,
 * so they stand beside the count and are not compared with it.
 */
const COUNTERS: Partial<Record<Cause, string[]>> = {
  'ports-exhausted': ['conntrack.insert_failed', 'conntrack.drop'],
  'conntrack-full': ['conntrack.drop', 'conntrack.early_drop'],
  'accept-queue-full': ['TcpExt.ListenOverflows', 'TcpExt.ListenDrops'],
  'time-wait-collision': ['TcpExt.PAWSTimewait', 'TcpExt.TCPSynRetrans'],
  refused: ['Tcp.OutRsts'],
  reset: ['Tcp.OutRsts'],
  'mapping-expired': ['conntrack.invalid'],
};

interface Group {
  count: Omit<CauseCount, 'evidence'>;
  errnos: Map<number, number>;
  example: { row: number; verdict: Verdict };
}

/** What a cause's evidence is taken from. */
export interface EvidenceSources {
  outcomes: Outcomes;
  /** Kernel counters over the trial, by host name (`shop[1]`, `edge`). */
  counters: Record<string, CounterDeltas>;
  /** Names a row as `portparty requests` does. */
  nameOf: (row: number) => string;
}

/** Counts the verdicts of dropped requests, largest first, each with its evidence. */
export function countCauses(verdicts: ReadonlyMap<number, Verdict>, sources: EvidenceSources): CauseCount[] {
  return group(verdicts, sources.outcomes).map(({ count, errnos, example }) => ({
    ...count,
    evidence: [
      ...[...errnos].map(([errno, times]) => ({ source: `client: ${errnoName(errno)}`, value: times })),
      ...counterEvidence(count.cause, count.at, sources.counters),
      { source: `request ${sources.nameOf(example.row)}`, value: example.verdict.evidence.join('; ') },
    ].filter(({ value }) => value !== ''),
  }));
}

/** Counts the verdicts of delayed requests, largest first. */
export function countDelays(
  verdicts: ReadonlyMap<number, Verdict>,
  outcomes: Outcomes,
): Omit<CauseCount, 'evidence'>[] {
  return group(verdicts, outcomes).map(({ count }) => count);
}

/** Adds up the counts of several trials; numeric evidence of one source is summed, of words the first is kept. */
export function mergeCauses(parts: CauseCount[][]): CauseCount[] {
  const merged = new Map<string, CauseCount>();
  for (const entry of parts.flat()) {
    const present = merged.get(keyOf(entry));
    if (present === undefined) {
      merged.set(keyOf(entry), { ...entry, evidence: entry.evidence.map((evidence) => ({ ...evidence })) });
      continue;
    }
    present.count += entry.count;
    for (const evidence of entry.evidence) addEvidence(present.evidence, evidence);
  }
  return largestFirst([...merged.values()]);
}

/** Adds up the delays of several trials. */
export function mergeDelays(parts: Omit<CauseCount, 'evidence'>[][]): Omit<CauseCount, 'evidence'>[] {
  return mergeCauses(parts.map((part) => part.map((entry) => ({ ...entry, evidence: [] })))).map(
    ({ evidence: _, ...count }) => count,
  );
}

function addEvidence(list: EvidenceSummary[], evidence: EvidenceSummary): void {
  const same = list.find(({ source }) => source === evidence.source);
  if (same !== undefined) {
    if (typeof same.value === 'number' && typeof evidence.value === 'number') same.value += evidence.value;
  } else if (typeof evidence.value === 'number') {
    list.push({ ...evidence });
  }
}

function group(verdicts: ReadonlyMap<number, Verdict>, outcomes: Outcomes): Group[] {
  const groups = new Map<string, Group>();
  for (const [row, verdict] of verdicts) {
    const key = keyOf(verdict);
    let found = groups.get(key);
    if (found === undefined) {
      const { cause, at, because } = verdict;
      const count = { cause, at, count: 0, ...(because === undefined ? {} : { because: { ...because } }) };
      found = { count, errnos: new Map(), example: { row, verdict } };
      groups.set(key, found);
    }
    found.count.count++;
    const errno = outcomes.errno[row];
    if (errno !== 0) found.errnos.set(errno, (found.errnos.get(errno) ?? 0) + 1);
  }
  return [...groups.values()].sort((a, b) => b.count.count - a.count.count || order(a.count, b.count));
}

function largestFirst(counts: CauseCount[]): CauseCount[] {
  return counts.sort((a, b) => b.count - a.count || order(a, b));
}

function order(a: Omit<CauseCount, 'evidence'>, b: Omit<CauseCount, 'evidence'>): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function keyOf({ cause, at, because }: { cause: Cause; at: string; because?: { cause: Cause; at: string } }): string {
  return because === undefined ? `${cause}@${at}` : `${cause}@${at} because ${because.cause}@${because.at}`;
}

function counterEvidence(cause: Cause, node: string, counters: Record<string, CounterDeltas>): EvidenceSummary[] {
  const hosts = Object.keys(counters).filter((host) => host === node || host.startsWith(`${node}[`));
  return (COUNTERS[cause] ?? []).flatMap((name) => {
    const value = hosts.reduce((sum, host) => sum + (counters[host][name] ?? 0), 0);
    return value === 0 ? [] : [{ source: `${node}: ${name.replace(/^conntrack\./, 'conntrack ')}`, value }];
  });
}
