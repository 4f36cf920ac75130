/** One request's way for people: hop by hop there and back, with times, addresses and ports, and where it ended. */
import { nodeOf } from '../../analysis/destinations.js';
import { CAUSES } from '../../ledger/causes.js';
import type { BackendTry, Visit, Way } from '../../ledger/way.js';
import { CLIENT_LEFT } from '../../nodes/kind.js';
import type { ChainRecord } from '../../record/chain-record.js';
import type { FoundRequest } from '../../record/find-request.js';
import type { RequestRow } from '../../record/read-requests.js';
import { exactSecondsOfMs } from '../../seconds.js';
import { ms, placeOf, plural } from '../format.js';
import type { TerminalOptions } from '../terminal.js';
import { writeHop, writeOpener } from './hop-text.js';
import { newPage, type Page } from './lines.js';

/** What the parts of a way are written with. */
export interface WayWriter {
  page: Page;
  /** A time since the run's start, ms, as the time since the request was planned. */
  since(atMs: number): string;
  /** The same for a time of a log: never before what had led to it, nor after the end, as logs are coarser than taps. */
  logged(atMs: number): string;
  /** Notes that it had come this far. */
  reached(atMs: number): void;
  /** `: what that means`, where the request was lost at this host's node; else ''. */
  lostAt(host: string): string;
  /** Begins a place of the way. */
  place(host: string): void;
}

/** The whole explanation of one request, with a line end at its end. */
export function renderRequest(found: FoundRequest, options: TerminalOptions): string {
  const { request, way, chain } = found;
  const page = newPage(options);
  let reachedMs = request.dueMs;
  const since = (atMs: number) => sinceText(atMs - request.dueMs);
  const writer: WayWriter = {
    page,
    since,
    logged(atMs) {
      reachedMs = Math.max(reachedMs, Math.min(atMs, request.doneMs ?? atMs));
      return since(reachedMs);
    },
    lostAt: (host) =>
      request.cause !== null && nodeOf(host) === request.at ? `: ${CAUSES[request.cause]?.means}` : '',
    reached(atMs) {
      reachedMs = Math.max(reachedMs, atMs);
    },
    place(host) {
      page.blank();
      page.line(`  ${page.colors.bold(host)}${page.colors.dim(kindOf(chain, host))}`);
    },
  };
  heading(page, request);
  writer.place(request.client);
  page.timed('0', `planned, ${exactSecondsOfMs(request.dueMs)} into the run`);
  const tries = way?.tries ?? [];
  tries.slice(0, -1).forEach((one) => {
    page.timed(
      one.number === 1 && request.sentMs !== null ? writer.since(request.sentMs) : '',
      `try ${one.number} of ${request.attempts}, in vain`,
    );
    if (one.visit !== undefined) {
      writeVisit(writer, one.visit);
      writer.place(request.client);
    }
  });
  const last = tries.at(-1);
  began(writer, request);
  if (last !== undefined) writeLastTry(writer, request, last);
  else if (request.connectMs !== null) clientAlone(writer, request);
  ended(writer, request, chain, last);
  why(page, found);
  return page.text();
}

function heading(page: Page, request: RequestRow): void {
  const { colors } = page;
  const { cause, at, because, state } = request;
  page.paragraph(`request ${request.id}`, 0, colors.bold);
  page.paragraph(
    `${request.step} of visitor ${request.visitor} · variant ${request.variant}, trial ${request.trial}`,
    2,
    colors.dim,
  );
  page.blank();
  const place = cause === null ? '' : placeOf({ cause, at: at ?? '', ...(because === null ? {} : { because }) });
  if (state === 'dropped') {
    page.point(colors.red('✗ lost:'), place || 'its cause was not decided', colors.red);
    if (cause !== null) page.paragraph(`${CAUSES[cause]?.means ?? cause}.`, 4);
  } else if (state === 'under-way') {
    page.point(colors.yellow('!'), 'it was under way when the trial was cut short', colors.yellow);
  } else if (cause !== null) {
    page.point(colors.yellow('✓ completed late:'), place, colors.yellow);
    page.paragraph(`A SYN had to be repeated: ${CAUSES[cause]?.means ?? cause}.`, 4);
  } else page.paragraph(`✓ completed${request.soldOut ? ': the tickets were sold out' : ''}`, 2, colors.green);
}

function began({ page, since }: WayWriter, request: RequestRow): void {
  const { attempts, lastTryMs, sentMs } = request;
  if (attempts > 1 && lastTryMs !== null) page.timed(since(lastTryMs), `try ${attempts} of ${attempts} begins`);
  else if (sentMs !== null && sentMs - request.dueMs >= 1) page.timed(since(sentMs), 'begun by the generator');
}

function writeLastTry(writer: WayWriter, request: RequestRow, { leg, openedBy, visit }: Way['tries'][number]): void {
  const { page } = writer;
  if (openedBy !== undefined) page.timed('', `on the connection that request ${openedBy} had opened and that was kept`);
  if (leg !== undefined) {
    writeOpener(writer, leg);
    leg.hops.slice(1).forEach((hop, index) => {
      writer.place(hop.host);
      writeHop(writer, hop, {
        isTarget: hop.host === leg.to,
        isLast: index === leg.hops.length - 2,
        isOpen: openedBy !== undefined,
      });
    });
  } else clientAlone(writer, request);
  if (visit === undefined) return;
  writeVisit(writer, visit, leg?.hops.at(-1)?.host === visit.host);
}

/** What is known of a connection without the taps. */
function clientAlone({ page, since }: WayWriter, request: RequestRow): void {
  const { connectMs, connectedMs, localPort, errno, error } = request;
  if (connectMs !== null) {
    const port = localPort === null ? '' : ` from port ${localPort}`;
    const failed = error === 'syscall' ? ` failed: ${errno}` : '';
    page.timed(since(connectMs), `connect()${port}${failed}`);
  }
  if (connectedMs !== null) page.timed(since(connectedMs), 'connected');
}

/** What a proxy or a server did with it, and all that came of that. `isHere`: its place has been named already. */
function writeVisit(writer: WayWriter, visit: Visit, isHere = false): void {
  const { page, logged } = writer;
  if (!isHere) writer.place(visit.host);
  page.timed(logged(visit.startedMs), `request read, from ${visit.peer}`);
  if (visit.queuedMs !== undefined && visit.queuedMs > 0)
    page.timed('', `waited ${ms(visit.queuedMs)} ms in the queue for a backend`);
  if (visit.refusal !== undefined) page.timed(page.colors.red('✗'), 'refused by a setting of its own', page.colors.red);
  visit.tries.forEach((one, index) => {
    const number = visit.tries.length === 1 ? '' : `try ${index + 1} of ${visit.tries.length}: `;
    writeTry(writer, visit, one, number);
  });
  page.timed(logged(visit.endedMs), answerOf(visit));
}

const RESULTS: Record<BackendTry['result'], string> = {
  answered: 'answered',
  'no-local-port': 'no free local port: connect() failed, no SYN was sent',
  'no-live-backend': 'every backend was held down: none was tried',
  'connect-timeout': 'the handshake did not finish in time',
  'response-timeout': 'connected, but no answer in time',
  'no-answer': 'no answer until its client left',
  'backend-limit': 'refused: the backend has as many connections as it takes',
  refused: 'refused: nothing listened there',
  'connect-failed': 'the connection did not come about',
  reset: 'the connection was reset',
  unreachable: 'no route',
  'connection-limit': 'its limit of connections was reached',
  'file-limit': 'no file descriptor was left',
  'queue-timeout': 'it waited too long for a free connection',
  'closed-early': 'the connection was closed before the answer',
  failed: 'it failed',
};

function writeTry(writer: WayWriter, visit: Visit, one: BackendTry, number: string): void {
  const { page, logged } = writer;
  const { colors } = page;
  const failed = one.result !== 'answered';
  const to = one.host === undefined ? (one.to ?? 'no backend') : `${one.host}, ${one.to}`;
  page.timed(logged(one.startedMs), `${number}to ${to}`);
  const { leg } = one;
  if (leg !== undefined) {
    const opener = leg.hops[0];
    // A log has whole milliseconds: a SYN well before the try is that of a kept connection.
    const isOpen = (opener.synOut?.[0] ?? one.startedMs) < one.startedMs - KEPT_MS;
    if (isOpen) page.timed('', 'on a connection that it had kept');
    writeOpener(writer, leg);
    leg.hops.slice(1).forEach((hop, index) => {
      writer.place(hop.host);
      writeHop(writer, hop, { isTarget: hop.host === leg.to, isLast: index === leg.hops.length - 2, isOpen });
    });
  }
  if (one.visit !== undefined) writeVisit(writer, one.visit, leg?.hops.at(-1)?.host === one.visit.host);
  if (leg !== undefined && leg.hops.length > 1) writer.place(visit.host);
  else if (one.visit !== undefined) writer.place(visit.host);
  if (failed) {
    page.timed(
      logged(one.endedMs),
      `${colors.red('✗')} ${RESULTS[one.result]}${one.markedDown ? '; it marks this backend down' : ''}`,
    );
    if (one.said !== undefined) page.paragraph(`log: ${one.said}`, LOG_INDENT, colors.dim);
  } else {
    const connect = one.connectMs === undefined ? '' : `, connected in ${ms(one.connectMs)} ms by its log`;
    page.timed(logged(one.endedMs), `the backend's answer is there${connect}`);
  }
}

const KEPT_MS = 50;
const LOG_INDENT = 14;

function answerOf({ status, tries }: Visit): string {
  if (status === 0) return 'answered nothing';
  if (status === CLIENT_LEFT) return 'whoever asked had left before the answer';
  return tries.length > 0 ? `answered ${status} to whoever asked` : `answered ${status}`;
}

/** How the last try failed, in words. */
const FAILURES: Record<NonNullable<RequestRow['error']>, (request: RequestRow) => string> = {
  none: () => 'lost',
  syscall: ({ errno }) => `connect() failed at once: ${errno}`,
  connectTimeout: () => 'gave up: the handshake did not finish within timeout.connect',
  connectFailed: ({ errno }) => `the connection failed: ${errno}`,
  responseTimeout: () => 'gave up: no whole answer within timeout.response',
  reset: ({ errno }) => `the connection was reset: ${errno}`,
  closedEarly: () => 'the connection was closed before the whole answer',
  badResponse: () => 'what came back is not HTTP',
  status: ({ status }) => `answer: ${status}`,
};

/** How it ended for whoever had asked. */
function ended(
  writer: WayWriter,
  request: RequestRow,
  chain: ChainRecord | null,
  last: Way['tries'][number] | undefined,
): void {
  const { page, since } = writer;
  const { colors } = page;
  const { error, status, firstByteMs, doneMs, state } = request;
  const hasLeft = last?.visit !== undefined || (last?.leg !== undefined && last.leg.hops.length > 1);
  if (hasLeft) writer.place(request.client);
  if (state === 'under-way' || doneMs === null) return;
  if (state === 'completed') {
    if (firstByteMs !== null && doneMs - firstByteMs >= 0.1) page.timed(since(firstByteMs), 'first byte of the answer');
    page.timed(since(doneMs), `${colors.green('✓')} whole answer: ${status}`);
    return;
  }
  const limits = chain?.traffic.timeout;
  const limit =
    error === 'connectTimeout' ? limits?.connectMs : error === 'responseTimeout' ? limits?.responseMs : undefined;
  const words = FAILURES[error ?? 'none'](request);
  page.timed(since(doneMs), `${colors.red('✗')} ${words}${limit === undefined ? '' : ` (${exactSecondsOfMs(limit)})`}`);
}

function why(page: Page, { request, evidence, missing }: FoundRequest): void {
  const { colors } = page;
  const { cause, at } = request;
  if (cause !== null) {
    page.blank();
    page.line(`  ${colors.bold(`Why ${cause}@${at}`)}`);
    for (const piece of evidence) page.point('·', piece);
    if (evidence.length > 0)
      page.paragraph(
        'Kernel counters (+n) are of the whole host and trial; they cross-check, they do not count requests.',
        2,
        colors.dim,
      );
  }
  if (missing.length > 0) page.blank();
  for (const sentence of missing) page.point(colors.yellow('!'), sentence, colors.yellow);
}

/** A visitor's requests, one a line, when an id named the visitor and not one of them. */
export function renderVisitor(requests: RequestRow[], options: TerminalOptions): string {
  const page = newPage(options);
  const { colors } = page;
  page.line(colors.bold(`visitor ${requests[0].visitor}: ${plural(requests.length, 'request')}`));
  page.blank();
  const [idWidth, stepWidth] = [
    Math.max(...requests.map(({ id }) => id.length)),
    Math.max(...requests.map(({ step }) => step.length)),
  ];
  for (const { id, step, variant, dueMs, state, cause, at, because } of requests) {
    const place =
      cause === null ? '' : ` ${placeOf({ cause, at: at ?? '', ...(because === null ? {} : { because }) })}`;
    const word = state === 'completed' && cause !== null ? 'late:' : state === 'dropped' ? 'lost:' : state;
    const paint = state === 'dropped' ? colors.red : cause !== null ? colors.yellow : (text: string) => text;
    page.point(
      `${id.padEnd(idWidth)}  ${step.padEnd(stepWidth)}  ${variant}  ${exactSecondsOfMs(dueMs).padStart(8)} `,
      paint(`${word}${place}`),
    );
  }
  page.blank();
  page.paragraph(`portparty explain --request ${requests[0].id} tells one of them hop by hop.`, 2, colors.dim);
  return page.text();
}

function kindOf(chain: ChainRecord | null, host: string): string {
  const node = Object.values(chain?.nodes ?? {}).find(({ hosts }) => hosts.some(({ name }) => name === host));
  return node === undefined ? '' : `  ${node.kind}`;
}

/** `+0.14 ms`, `+1,033 ms`, `−1,012 ms`. */
function sinceText(value: number): string {
  const size = Math.abs(value);
  if (size < 0.0005) return '+0 ms';
  const digits = size < 1 ? 2 : size < 100 ? 1 : 0;
  const text = size.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${value < 0 ? '−' : '+'}${text} ms`;
}
