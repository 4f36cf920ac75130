/**
 * The sale's stock in Redis, asked over connections of this worker's own: a new one for each request, or a pool.
 *
 *     asked -> (waits for a free connection) -> connecting -> asking -> answered: closed, or back to the pool
 *                     queueTimeout             connectTimeout  responseTimeout
 *
 * How each request fared on this way goes into the request log, so that a port that is wanting here is found there.
 */
import { performance } from 'node:perf_hooks';
import { sockaddrIn } from '../sys/libc.js';
import type { EventLoop } from './event-loop.js';
import type { InventoryClient, ReplyHandler } from './inventory-client.js';
import type { InventoryCommand } from './inventory-protocol.js';
import { type ConnectionEnd, isEnd, openRedisConnection, type RedisConnection } from './redis-connection.js';
import { type LoggedTry, type StoreVisit, unixClock } from './request-log.js';
import { isRespError, type RespValue } from './resp.js';
import { type StoredSale, saleCommand, saleReply } from './sale-script.js';

/** Where the Redis is, the sale that it keeps, and how long to wait for it. */
export interface RedisInventoryOptions extends StoredSale {
  address: string;
  port: number;
  /** Connections of this worker's pool; absent: a new one for each request, closed by this side after the answer. */
  pool?: number;
  /** How long a handshake may take, ms. */
  connectTimeoutMs: number;
  /** How long an answer may take, ms. */
  responseTimeoutMs: number;
  /** How long a request may wait for a free connection of the pool, ms; absent: as long as it takes. */
  queueTimeoutMs?: number;
}

/** One request on its way. */
interface Job {
  command: InventoryCommand;
  answer: ReplyHandler;
  /** ms of `performance.now()`, and Unix ms, at which it was asked. */
  askedMs: number;
  askedAt: number;
  /** How long it waited for a free connection, ms. */
  queuedMs: number;
  /** The server did not know the script. */
  whole: boolean;
}

/** A connection and what it is doing. */
interface Line {
  connection: RedisConnection;
  job: Job | undefined;
  /** ms of `performance.now()` at which its present step began, and Unix ms at which its present job's try began. */
  sinceMs: number;
  triedAt: number;
  /** The handshake's time, for the request that waited for it, and 0 for those after it, ms. */
  connectMs: number | undefined;
}

/** Answer of a Redis that has `maxclients` already (src/networking.c). */
const TOO_MANY_CLIENTS = 'ERR max number of clients reached';

/** An inventory that asks Redis. Nothing is connected before the first request. */
export function redisInventory(loop: EventLoop, options: RedisInventoryOptions): InventoryClient {
  const { pool } = options;
  const to = `${options.address}:${options.port}`;
  const address = sockaddrIn(options.address, options.port);
  const unixNow = unixClock();
  /** Each in the order of its members' deadlines, as all in it have equally long. */
  const waiting = new Set<Job>();
  const connecting = new Set<Line>();
  const asking = new Set<Line>();
  /** The one that was used last is used first, so that the others may go. */
  const idle: Line[] = [];

  const openLines = () => connecting.size + asking.size + idle.length;

  /** Gives a job a connection: a free one, or a new one. */
  function begin(job: Job): void {
    const free = idle.pop();
    if (free === undefined) open(job);
    else ask(free, job);
  }

  function open(job: Job): void {
    const triedAt = unixNow();
    const line: Line = {
      connection: undefined as unknown as RedisConnection,
      job,
      sinceMs: performance.now(),
      triedAt,
      connectMs: undefined,
    };
    const opened = openRedisConnection(loop, address, {
      connected() {
        line.connectMs = performance.now() - line.sinceMs;
        connecting.delete(line);
        ask(line, job);
      },
      answered: (value) => answered(line, value),
      ended: (end) => ended(line, end),
    });
    if (isEnd(opened)) {
      finish(job, undefined, tryOf({ triedAt }, opened));
      return;
    }
    line.connection = opened;
    connecting.add(line);
  }

  function ask(line: Line, job: Job): void {
    if (line.job !== job) {
      line.job = job;
      line.triedAt = unixNow();
      line.connectMs = 0;
    }
    line.sinceMs = performance.now();
    asking.delete(line);
    asking.add(line);
    line.connection.send(saleCommand(options, job.command, job.whole));
  }

  function answered(line: Line, value: RespValue): void {
    const { job } = line;
    if (job === undefined) return;
    if (isRespError(value)) {
      if (value.error.startsWith('NOSCRIPT') && !job.whole) {
        job.whole = true;
        ask(line, job);
      } else if (value.error.startsWith(TOO_MANY_CLIENTS)) {
        drop(line, { result: 'backend-limit', text: value.error });
      } else drop(line, { result: 'answered', text: value.error });
      return;
    }
    if (typeof value !== 'string') {
      drop(line, { result: 'failed', text: `an answer of another kind: ${JSON.stringify(value)}` });
      return;
    }
    const way = tryOf(line, { result: 'answered', text: '' });
    release(line);
    finish(job, value, way);
    startWaiting();
  }

  /** What a line has done is done; a pool keeps it. */
  function release(line: Line): void {
    asking.delete(line);
    line.job = undefined;
    if (pool === undefined) line.connection.close();
    else idle.push(line);
  }

  /** Closes a line for what has happened on it. */
  function drop(line: Line, end: ConnectionEnd): void {
    line.connection.close();
    ended(line, end);
  }

  function ended(line: Line, end: ConnectionEnd): void {
    connecting.delete(line);
    asking.delete(line);
    const { job } = line;
    line.job = undefined;
    if (job !== undefined) finish(job, undefined, tryOf(line, end));
    else idle.splice(idle.indexOf(line), 1);
    startWaiting();
  }

  function startWaiting(): void {
    for (const job of waiting) {
      if (idle.length === 0 && openLines() >= pool!) return;
      waiting.delete(job);
      job.queuedMs = performance.now() - job.askedMs;
      begin(job);
    }
  }

  function tryOf(line: Pick<Line, 'triedAt'> & Partial<Line>, { result, text }: ConnectionEnd): LoggedTry {
    return {
      to,
      ...(line.connection && { from: line.connection.from }),
      result,
      s: line.triedAt,
      t: unixNow(),
      ...(line.connectMs !== undefined && { c: line.connectMs }),
      ...(text !== '' && { text }),
    };
  }

  function finish(job: Job, reply: string | undefined, ...tries: LoggedTry[]): void {
    const queued = job.queuedMs > 0 && { queued: { s: job.askedAt, ms: job.queuedMs } };
    const visit: StoreVisit = { tries, ...queued };
    job.answer(reply === undefined ? undefined : saleReply(reply), visit);
  }

  function giveUpWaiting(job: Job, text: string): void {
    waiting.delete(job);
    job.queuedMs = performance.now() - job.askedMs;
    finish(job, undefined, { to: undefined, result: 'queue-timeout', s: job.askedAt, t: unixNow(), text });
  }

  /** Ends those whose time is up; when the next one's is, ms. */
  function expire<Item>(items: Set<Item>, nowMs: number, dueMs: (item: Item) => number, end: (item: Item) => void) {
    for (const item of items) {
      if (dueMs(item) > nowMs) return dueMs(item);
      end(item);
    }
    return Number.POSITIVE_INFINITY;
  }

  const { connectTimeoutMs, responseTimeoutMs, queueTimeoutMs = Number.POSITIVE_INFINITY } = options;

  return {
    ask(command, answer) {
      const job: Job = { command, answer, askedMs: performance.now(), askedAt: unixNow(), queuedMs: 0, whole: false };
      if (pool === undefined || idle.length > 0 || openLines() < pool) begin(job);
      else waiting.add(job);
    },
    chore(nowMs) {
      const inQueue = expire(
        waiting,
        nowMs,
        ({ askedMs }) => askedMs + queueTimeoutMs,
        (job) => giveUpWaiting(job, `no connection of the pool became free within ${queueTimeoutMs} ms`),
      );
      const inHandshake = expire(
        connecting,
        nowMs,
        ({ sinceMs }) => sinceMs + connectTimeoutMs,
        (line) => drop(line, { result: 'connect-timeout', text: `no handshake within ${connectTimeoutMs} ms` }),
      );
      const inService = expire(
        asking,
        nowMs,
        ({ sinceMs }) => sinceMs + responseTimeoutMs,
        (line) => drop(line, { result: 'response-timeout', text: `no answer within ${responseTimeoutMs} ms` }),
      );
      return Math.min(inQueue, inHandshake, inService);
    },
    close() {
      const text = 'still under way when the shop ended';
      const left = [...waiting];
      waiting.clear();
      for (const job of left) giveUpWaiting(job, text);
      for (const line of [...connecting]) drop(line, { result: 'connect-timeout', text });
      for (const line of [...asking]) drop(line, { result: 'response-timeout', text });
      for (const line of idle.splice(0)) line.connection.close();
    },
  };
}
