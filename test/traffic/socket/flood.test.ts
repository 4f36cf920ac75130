/** The sending loop before a server that floods: one of which each read fills the whole buffer, as fast as it is read. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { type Outcomes, outcomes, RequestState } from '../../../src/traffic/outcomes.js';
import { openSender } from '../../../src/traffic/socket/loop.js';
import { BUY, plan } from '../fixture.js';

const VISITORS = 50;
/** Reads of the flood before the kernel is asked again what else there is. */
const TOO_MANY = 4;
const CHUNK = '3\r\nabc\r\n';
const HEAD = 'HTTP/1.1 200 OK\r\nA: bcde\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Stands in the place of recv(2) on the first connection that is read from, wherever `bytes` gives some for a read of it. */
const flood = vi.hoisted(() => {
  const bytes: (read: number, length: number) => string | undefined = () => undefined;
  return { fd: -1, reads: 0, inARow: 0, bytes };
});
beforeEach(() => {
  Object.assign(flood, { fd: -1, reads: 0, inARow: 0 });
});

vi.mock('../../../src/sys/libc.js', async (original) => {
  const libc = await original<typeof import('../../../src/sys/libc.js')>();
  const epollPwait2: typeof libc.epollPwait2 = (...of) => {
    flood.inARow = 0;
    return libc.epollPwait2!(...of);
  };
  return {
    ...libc,
    recv(fd: number, buffer: Buffer, length: number, flags: number): number {
      if (flood.fd < 0) flood.fd = fd;
      const bytes = fd === flood.fd ? flood.bytes(flood.reads++, length) : undefined;
      if (bytes === undefined) return libc.recv(fd, buffer, length, flags);
      if (++flood.inARow > TOO_MANY) throw new Error('the flood has been read without an end');
      return buffer.write(bytes, 'latin1');
    },
    epollWait(...of: Parameters<typeof libc.epollWait>) {
      flood.inARow = 0;
      return libc.epollWait(...of);
    },
    epollPwait2: libc.epollPwait2 && epollPwait2,
  };
});

/** A server on a thread of its own: the loop does not leave this one before its end. */
async function serveElsewhere(): Promise<number> {
  const server = new Worker(new URL('../stalling-server.mjs', import.meta.url), {
    workerData: { stallAt: 0, stallMs: 0 },
  });
  onTestFinished(async () => void (await server.terminate()));
  const [port] = (await once(server, 'message')) as [number];
  return port;
}

const stateOf = (out: Outcomes, state: number) => out.state.filter((one) => one === state).length;

it('nobody waits for the end of a flood, and what is left of it is read without being told of again', async () => {
  const given = plan(await serveElsewhere(), VISITORS, 1, { connections: { mode: 'per-request' } });
  const out = outcomes(VISITORS, given.steps.length);
  flood.bytes = (read, length) => {
    if (read > 0 && stateOf(out, RequestState.completed) === VISITORS - 1) return '0\r\n\r\n';
    const head = read === 0 ? HEAD : '';
    return head + CHUNK.repeat((length - head.length) / CHUNK.length);
  };
  const sender = openSender(given, 1024, 'epoll');
  sender.send(given, out, new Int32Array(1), Number(process.hrtime.bigint()));
  sender.dispose();
  expect(stateOf(out, RequestState.completed)).toBe(VISITORS);
  expect(flood.reads).toBeGreaterThan(2 * TOO_MANY);
});

it('what is left to read behind an answer is no answer to the next request', async () => {
  const steps = BUY.slice(0, 2);
  const given = plan(await serveElsewhere(), 1, 0, { steps, thinkTimeMs: 0 });
  const out = outcomes(1, steps.length);
  flood.bytes = (read, length) => {
    // Two reads are a turn, and the answer fills them to the last byte.
    const whole = 2 * length;
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${whole - 43}\r\n\r\n`;
    const answer = `${head.padEnd(whole, 'x')}HTTP/1.1 500 Surplus\r\nContent-Length: 0\r\n\r\n`;
    return answer.slice(read * length, (read + 1) * length) || undefined;
  };
  const sender = openSender(given, 1024, 'epoll');
  sender.send(given, out, new Int32Array(1), Number(process.hrtime.bigint()));
  sender.dispose();
  expect([...out.status]).toEqual([200, 200]);
  expect(new Set(out.connection).size).toBe(2);
});
