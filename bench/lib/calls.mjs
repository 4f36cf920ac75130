/**
 * A process that makes connections one after the other by the calls that the socket engine makes where it goes by epoll, and takes the time of each call: what a
 * system call costs, with what the kernel does at once on the caller's account. `node bench/lib/calls.mjs JOB`; its last line is the result.
 */
import { openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  C,
  close,
  connect,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_BYTES,
  epollCreate1,
  epollCtl,
  epollWait,
  errno,
  errnoName,
  getsockname,
  recv,
  send,
  setns,
  sockaddrIn,
  socket,
} from '../../dist/sys/libc.js';

const SELF = fileURLToPath(import.meta.url);
const WARM_UP = 500;
const WAIT_MS = 1000;

/** argv of a process that does `{ netns, address, port, count }`. */
export const callsArgv = (job) => [process.execPath, SELF, JSON.stringify(job)];

function main({ netns, address, port, count }) {
  if (setns(openSync(netns, 'r'), C.CLONE_NEWNET) !== 0) throw new Error(`setns: ${errnoName(errno())}`);
  const epoll = epollCreate1(0);
  const to = sockaddrIn(address, port);
  const events = new Uint8Array(EPOLL_EVENT_BYTES * 16);
  const registration = new Uint8Array(EPOLL_EVENT_BYTES);
  const view = new DataView(registration.buffer);
  view.setUint32(0, (C.EPOLLIN | C.EPOLLOUT | C.EPOLLRDHUP | C.EPOLLET) >>> 0, true);
  const name = new Uint8Array(16);
  const length = new Uint32Array([16]);
  const request = Buffer.from(
    `GET / HTTP/1.1\r\nHost: ${address}\r\nX-Request-Id: 0.1.0.0\r\nConnection: close\r\n\r\n`,
  );
  const received = Buffer.alloc(65_536);
  const spent = new Map();
  let measuring = false;

  function timed(call, work) {
    const before = process.hrtime.bigint();
    const result = work();
    const ns = Number(process.hrtime.bigint() - before);
    if (!measuring) return result;
    const of = spent.get(call) ?? { calls: 0, ns: [] };
    of.calls++;
    of.ns.push(ns);
    spent.set(call, of);
    return result;
  }

  /** One connection, as `socket/loop.ts` goes: what waits is not a call's cost, so it is not timed. */
  function once() {
    const fd = timed('socket', () => socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC, 0));
    const began = timed('connect', () => connect(fd, to, 16));
    if (began !== 0 && errno() !== C.EINPROGRESS) throw new Error(`connect: ${errnoName(errno())}`);
    view.setInt32(EPOLL_DATA_OFFSET, fd, true);
    timed('epoll_ctl', () => epollCtl(epoll, C.EPOLL_CTL_ADD, fd, registration));
    timed('getsockname', () => getsockname(fd, name, length));
    epollWait(epoll, events, 16, WAIT_MS);
    timed('epoll_wait, nothing new', () => epollWait(epoll, events, 16, 0));
    timed('send', () => send(fd, request, request.length, C.MSG_NOSIGNAL));
    for (let wakes = 0, ended = false; !ended; wakes++) {
      if (wakes > 10) throw new Error('no answer');
      epollWait(epoll, events, 16, WAIT_MS);
      for (;;) {
        const got = timed('recv', () => recv(fd, received, received.length, C.MSG_DONTWAIT));
        if (got < 0) break;
        ended = got === 0;
        if (ended) break;
      }
    }
    timed('close', () => close(fd));
  }

  for (let made = 0; made < WARM_UP; made++) once();
  measuring = true;
  for (let made = 0; made < count; made++) once();
  // What taking the time costs by itself.
  const empty = [];
  for (let turn = 0; turn < count; turn++) {
    const before = process.hrtime.bigint();
    empty.push(Number(process.hrtime.bigint() - before));
  }
  const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const overhead = middle(empty);
  const calls = [...spent].map(([call, { calls: times, ns }]) => ({
    call,
    each: times / count,
    us: Math.max(0, middle(ns) - overhead) / 1000,
  }));
  console.log(JSON.stringify({ calls, overheadUs: overhead / 1000 }));
}

if (process.argv[1] === SELF) main(JSON.parse(process.argv[2]));
