/** The difference between variants as one plain sentence: who lost how much, why, and who lost nothing. */
import type { Cause } from '../ledger/causes.js';
import type { RunRecord, VariantRecord } from '../record/run-record.js';
import { roughSecondsOfMs } from '../seconds.js';
import { count, list, plural } from './format.js';

/** How a cause at a node reads behind "because". */
export const BECAUSE: Record<Cause, (at: string) => string> = {
  'ports-exhausted': (at) => `${at} ran out of ports`,
  'conntrack-full': (at) => `the connection table of ${at} was full`,
  'accept-queue-full': (at) => `the accept queue of ${at} overflowed`,
  'connection-limit': (at) => `${at} reached its configured limit of connections`,
  throttled: (at) => `the rate limit of ${at} turned them away`,
  'queue-timeout': (at) => `they waited too long in the queue of ${at}`,
  'file-limit': (at) => `${at} ran out of file descriptors`,
  filtered: (at) => `a firewall rule on ${at} dropped them`,
  rejected: (at) => `a firewall rule on ${at} refused them`,
  refused: (at) => `nothing listened on ${at}`,
  'time-wait-collision': (at) => `they met old connections in TIME_WAIT on ${at}`,
  'backend-held-down': (at) => `${at} held all its backends down`,
  reset: (at) => `${at} reset their connections`,
  'mapping-expired': (at) => `${at} had forgotten their idle connections`,
  lost: (at) => `the link at ${at} lost them`,
  unreachable: (at) => `there was no way through ${at}`,
  'response-timeout': (at) => `${at} did not answer in time`,
  'http-error': (at) => `${at} answered with errors`,
  'session-lost': (at) => `${at} no longer had their sessions`,
  unattributed: () => 'of something that no evidence singles out',
};

/** A first cause, with all that was lost to it. */
interface Root {
  cause: Cause;
  at: string;
  lost: number;
  /** How many of them were lost only in its wake, and to what. */
  after: { cause: Cause; at: string; lost: number } | undefined;
}

/** Most causes that the sentence spells out. */
const MOST_ROOTS = 2;

/** One sentence (or two, where requests were late) on a whole run. Empty when no variant was measured. */
export function explainDifference(record: RunRecord): string {
  const variants = record.variants.filter(({ requests }) => requests.due > 0);
  if (variants.length === 0) return record.variants.length === 0 ? '' : 'Nothing was measured: no request came due.';
  const losing = variants.filter(({ requests }) => requests.dropped > 0);
  const keeping = variants.filter(({ requests }) => requests.dropped === 0);
  const alone = record.variants.length === 1;
  const clauses = losing.map((variant) => lossOf(variant, alone));
  if (keeping.length > 0) clauses.push(losing.length === 0 ? nothingLost(keeping) : `${names(keeping)} lost none`);
  return [`${capital(clauses.join('; '), losing[0]?.name ?? '', alone)}.`, ...delays(variants, alone)].join(' ');
}

function lossOf(variant: VariantRecord, alone: boolean): string {
  const { requests } = variant;
  const roots = rootsOf(variant);
  const many = roots.length > 1;
  const reasons = roots.slice(0, MOST_ROOTS).map((root) => {
    const share = many ? `${count(root.lost)} ` : '';
    return `${share}because ${BECAUSE[root.cause](root.at)}${aside([...inUse(variant, root), ...inItsWake(variant, root)])}`;
  });
  const rest = roots.slice(MOST_ROOTS).reduce((sum, { lost }) => sum + lost, 0);
  if (rest > 0) reasons.push(`${count(rest)} for other reasons`);
  const what = `${count(requests.dropped)} of ${plural(requests.due, 'request')}`;
  const why = reasons.length === 0 ? '' : `${many ? ':' : ''} ${list(reasons)}`;
  return alone ? `${what} ${requests.dropped === 1 ? 'was' : 'were'} lost${why}` : `${variant.name} lost ${what}${why}`;
}

function inUse({ ports }: VariantRecord, { cause, at }: Root): string[] {
  const pool = Object.hasOwn(ports, at) ? ports[at] : undefined;
  if (cause !== 'ports-exhausted' || pool === undefined) return [];
  return [`${count(pool.peak)} of ${count(pool.capacity)} in use towards one destination`];
}

function inItsWake({ aftershocks = [] }: VariantRecord, { cause, at, after }: Root): string[] {
  if (after === undefined) return [];
  // A time is only told where there was one.
  const times = aftershocks.filter(
    (one) => one.at === after.at && one.because?.cause === cause && one.because.at === at,
  );
  const when =
    times.length === 1
      ? `, for ${roughSecondsOfMs(times[0].lastedMs)} from ${roughSecondsOfMs(times[0].beganMs)} on`
      : '';
  return [`${count(after.lost)} in its wake, while ${BECAUSE[after.cause](after.at)}${when}`];
}

function aside(remarks: string[]): string {
  return remarks.length === 0 ? '' : ` (${remarks.join('; ')})`;
}

function rootsOf({ requests }: VariantRecord): Root[] {
  const roots = new Map<string, Root>();
  for (const { cause, at, because, count: lost } of requests.byCause) {
    const first = because ?? { cause, at };
    const key = `${first.cause}@${first.at}`;
    const root = roots.get(key) ?? { cause: first.cause, at: first.at, lost: 0, after: undefined };
    root.lost += lost;
    if (because !== undefined)
      root.after = {
        cause,
        at,
        lost: lost + (root.after?.cause === cause && root.after.at === at ? root.after.lost : 0),
      };
    roots.set(key, root);
  }
  return [...roots.values()].sort((a, b) => b.lost - a.lost);
}

function nothingLost(variants: VariantRecord[]): string {
  const due = variants.map(({ requests }) => requests.due);
  const same = due.every((value) => value === due[0]);
  if (variants.length === 1) return `All ${plural(due[0], 'request')} completed`;
  return same ? `All ${plural(due[0], 'request')} completed in every variant` : 'No variant lost a request';
}

function delays(variants: VariantRecord[], alone: boolean): string[] {
  const parts = variants.flatMap((variant) => {
    const late = variant.requests.delayed.reduce((sum, entry) => sum + entry.count, 0);
    const [most] = variant.requests.delayed;
    if (late === 0) return [];
    const where = alone ? '' : ` in ${variant.name}`;
    const mostly = variant.requests.delayed.length > 1 ? 'mostly ' : '';
    return [`${count(late)}${where} (${mostly}${most.cause}@${most.at})`];
  });
  return parts.length === 0 ? [] : [`Late, but completed after a repeated SYN: ${list(parts)}.`];
}

function names(variants: VariantRecord[]): string {
  return list(variants.map(({ name }) => name));
}

/** A variant's name stays as it is written. */
function capital(sentence: string, firstName: string, alone: boolean): string {
  if (!alone && firstName !== '') return sentence;
  return sentence[0].toUpperCase() + sentence.slice(1);
}
