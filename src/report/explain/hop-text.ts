/** What one host saw of a connection, line by line: SYNs in and out, translation, answers, resets. */
import type { Hop, Leg } from '../../ledger/legs.js';
import type { WayWriter } from './way-text.js';

/** Where a hop stands on its connection's way. */
interface HopPlace {
  isTarget: boolean;
  /** Nothing was seen of the SYN behind it. */
  isLast: boolean;
  /** The connection had been open before. */
  isOpen: boolean;
}

/** The host that opened the connection. */
export function writeOpener(writer: WayWriter, { isn, hops: [hop] }: Leg): void {
  const { page, since } = writer;
  const [source, destination] = hop.out ?? [];
  const [first, ...again] = hop.synOut ?? [];
  if (first !== undefined) page.timed(since(first), `SYN out  ${source} → ${destination}, seq ${isn}`);
  if (again.length > 0) page.timed('', page.colors.yellow(repeated('SYN again', again, since)));
  if (hop.answerIn !== undefined)
    page.timed(since(hop.answerIn[0]), `SYN+ACK in: connected${waited(hop.answerIn[0], first)}`);
  resets(writer, hop);
}

/** A host that the connection passed or reached. */
export function writeHop(writer: WayWriter, hop: Hop, place: HopPlace): void {
  const { page, since } = writer;
  const { colors } = page;
  const [source, destination] = hop.in ?? [];
  const [first, ...again] = hop.synIn ?? [];
  if (first !== undefined) page.timed(since(first), `SYN in   ${source} → ${destination}`);
  if (again.length > 0) page.timed('', colors.yellow(repeated('SYN again in', again, since)));
  if (place.isTarget) {
    if (first !== undefined && !place.isOpen) writer.reached(Math.max(first, ...again, hop.answerOut?.[0] ?? 0));
    if (hop.answerOut !== undefined) answer(writer, 'SYN+ACK out', hop.answerOut);
    else if (!hop.resets?.some(([, way]) => way === 'out'))
      page.timed(colors.red('✗'), `no SYN+ACK left${writer.lostAt(hop.host)}`, colors.red);
  } else passed(writer, hop);
  resets(writer, hop);
  // A kept connection's table is worth a line only when its entry was lost.
  const gone = hop.table?.filter(([atMs, type]) => type === 'destroy' && atMs > (first ?? 0)) ?? [];
  for (const [atMs, , as, state] of gone)
    page.timed(
      since(atMs),
      colors.yellow(`its entry in the connection table went: ${as}${state === undefined ? '' : `, state ${state}`}`),
    );
  const [goneMs] = gone[0] ?? [];
  const taken = goneMs === undefined ? undefined : hop.table?.find(([atMs, type]) => type === 'new' && atMs >= goneMs);
  if (taken !== undefined)
    page.timed(since(taken[0]), colors.yellow(`taken up again in mid-stream, now as ${taken[2]}`));
}

/** A host that should have passed it on. */
function passed(writer: WayWriter, hop: Hop): void {
  const { page, since } = writer;
  const { colors } = page;
  const [source] = hop.in ?? [];
  if (hop.synOut === undefined) {
    const reached =
      hop.forwarded === undefined
        ? ''
        : hop.forwarded
          ? '; it had reached the forward chain'
          : '; it never reached the forward chain';
    page.timed(colors.red('✗'), `it never left${reached}${writer.lostAt(hop.host)}`, colors.red);
    return;
  }
  const [as, destination] = hop.out ?? [];
  const isTranslated = as !== source;
  page.timed(
    since(hop.synOut[0]),
    `SYN out  ${isTranslated ? colors.bold(as ?? '') : as} → ${destination}${isTranslated ? ', translated' : ''}`,
  );
  const inTimes = hop.synIn ?? [];
  if (hop.synOut.length > 1) page.timed('', colors.yellow(repeated('SYN again out', hop.synOut.slice(1), since)));
  if (inTimes.length > hop.synOut.length) {
    const stopped = inTimes.length - hop.synOut.length;
    page.timed(
      colors.red('✗'),
      `${stopped === 1 ? 'one copy' : `${stopped} copies`} of the SYN never left${firstWas(hop)}`,
      colors.red,
    );
  }
  if (hop.answerIn !== undefined && hop.answerOut === undefined) {
    answer(writer, 'SYN+ACK in', hop.answerIn);
    page.timed(colors.red('✗'), 'the SYN+ACK never left', colors.red);
  } else if (hop.answerOut !== undefined) answer(writer, 'SYN+ACK passed back', hop.answerOut);
  else page.timed(colors.red('✗'), 'no SYN+ACK came back', colors.red);
}

function firstWas({ synIn = [], synOut = [] }: Hop): string {
  return synIn.length > 1 && synOut[0] > synIn[1] - 1 ? ': the first among them' : '';
}

function answer({ page, since }: WayWriter, what: string, times: number[]): void {
  page.timed(since(times[0]), what);
  if (times.length > 1)
    page.timed('', page.colors.yellow(repeated(`${what.split(' ')[0]} again`, times.slice(1), since)));
}

function resets({ page, since }: WayWriter, { resets: all = [] }: Hop): void {
  for (const [atMs, way, direction] of all)
    page.timed(
      since(atMs),
      page.colors.yellow(`RST ${way}, ${direction === 'forth' ? 'towards the target' : 'towards the opener'}`),
    );
}

function repeated(what: string, times: number[], since: (atMs: number) => string): string {
  return `${what} at ${times.map(since).join(', ')}`;
}

/** A SYN is answered at once, or something took its time. */
function waited(answeredMs: number, sentMs: number | undefined): string {
  if (sentMs === undefined || answeredMs - sentMs < SLOW_HANDSHAKE_MS) return '';
  return `, ${Math.round(answeredMs - sentMs).toLocaleString('en-US')} ms after the first SYN`;
}

const SLOW_HANDSHAKE_MS = 100;
