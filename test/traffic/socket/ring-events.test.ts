/** What a ring tells of connections to a listening socket of this thread, which does what it does between two waits. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept4,
  addressOf,
  bind,
  C,
  close,
  connect,
  errno,
  getsockname,
  listen,
  recv,
  sockaddrIn,
  socket,
} from '../../../src/sys/libc.js';
import { type ConnectionEvents, type Destination, NO_BYTES } from '../../../src/traffic/socket/connection-events.js';
import { ringEvents } from '../../../src/traffic/socket/ring-events.js';

const SOON_NS = 5e9;
/** Nobody else has a descriptor of that number in a test. */
const DESCRIPTORS = 20_000;
const probe = ringEvents(1);
probe?.dispose();

let listener = -1;
let address: Uint8Array;
let events: ConnectionEvents;
beforeEach(() => {
  listener = socket(C.AF_INET, C.SOCK_STREAM, 0);
  address = sockaddrIn('127.0.0.1', 0);
  bind(listener, address, address.length);
  listen(listener, 16);
  getsockname(listener, address, new Uint32Array([16]));
  events = ringEvents(DESCRIPTORS)!;
});
afterEach(() => {
  events.dispose();
  close(listener);
});

function destination(narrow: boolean, to = address): Destination {
  const start = (fd: number) => (connect(fd, to, to.length) === 0 || errno() === C.EINPROGRESS ? 0 : errno());
  return { address: to, pointer: addressOf(to), ports: { narrow, connect: start, chosen() {} } };
}

/** A socket whose handshake has begun. */
function open(generation: number, to = destination(false)): number {
  const fd = socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_NONBLOCK, 0);
  events.connect(fd, generation, to);
  events.handOver();
  return fd;
}

/** The next event: it must be the only one. */
function next() {
  expect(events.wait(SOON_NS)).toBe(1);
  const { fd, generation, mask, result } = events.events;
  return { fd: fd[0], generation: generation[0], mask: mask[0], result: result[0] };
}

const accept = () => accept4(listener, null, null, C.SOCK_NONBLOCK);
const buffer = Buffer.alloc(100);

describe.skipIf(probe === undefined)('a ring', () => {
  it.each([false, true])('tells of a handshake before it tells of the end behind it (narrow ports: %s)', (narrow) => {
    const fd = open(7, destination(narrow));
    close(accept());
    expect(next()).toMatchObject({ fd, generation: 7, result: NO_BYTES });
    expect(events.events.mask[0] & C.EPOLLOUT).toBe(C.EPOLLOUT);
    events.watch(fd);
    expect(next()).toMatchObject({ fd, generation: 7, result: 0 });
    events.close(fd, false);
  });

  it.each([false, true])('tells why a handshake has failed (narrow ports: %s)', (narrow) => {
    close(listener);
    const fd = open(1, destination(narrow));
    expect(events.refusal(fd)).toBe(0);
    expect(next()).toMatchObject({ fd, generation: 1, result: NO_BYTES });
    expect(events.events.mask[0] & (C.EPOLLERR | C.EPOLLHUP)).not.toBe(0);
    expect(events.handshakeError(0)).toBe(C.ECONNREFUSED);
    events.close(fd, false);
  });

  it.each([false, true])('knows at once what connect(2) has refused, and says it once (narrow ports: %s)', (narrow) => {
    // The kernel connects nothing to a broadcast address, and sends nothing there (tcp_v4_connect).
    const fd = open(1, destination(narrow, sockaddrIn('255.255.255.255', 80)));
    expect(events.refusal(fd)).toBe(C.ENETUNREACH);
    events.close(fd, false);
    expect(events.wait(0)).toBe(0);
  });

  it.each([
    [false, 0, 0],
    [true, -1, C.ECONNRESET],
  ])('ends a connection that waits in the ring at once (abort: %s)', (abort, received, code) => {
    const fd = open(1);
    next();
    events.watch(fd);
    events.flush();
    const peer = accept();
    events.close(fd, abort);
    expect(recv(peer, buffer, buffer.length, C.MSG_DONTWAIT)).toBe(received);
    if (received < 0) expect(errno()).toBe(code);
    expect(events.wait(0)).toBe(0);
    close(peer);
  });

  it('does not mistake what is left of a closed connection for an event of the next one with its descriptor', () => {
    const fd = open(1);
    next();
    events.watch(fd);
    events.flush();
    events.close(fd, false);
    events.flush();
    const again = open(2);
    expect(again).toBe(fd);
    expect(next()).toMatchObject({ fd, generation: 2, result: NO_BYTES });
    events.close(fd, false);
  });

  it('sends what is written to its room', () => {
    const fd = open(1);
    next();
    const room = events.room();
    const length = room.write('GET / HTTP/1.1\r\n\r\n', 'latin1');
    expect(events.send(fd, room, length)).toBe(0);
    events.watch(fd);
    events.flush();
    const peer = accept();
    expect(buffer.toString('latin1', 0, recv(peer, buffer, buffer.length, C.MSG_DONTWAIT))).toBe(
      'GET / HTTP/1.1\r\n\r\n',
    );
    close(peer);
    expect(next()).toMatchObject({ fd, result: 0 });
    events.close(fd, false);
  });

  it('tells of a request that could not be sent', () => {
    const fd = open(1);
    next();
    events.watch(fd);
    events.flush();
    const peer = accept();
    // Closed with bytes unread: the answer to whatever comes is a RST.
    events.send(fd, events.room(), 10);
    events.flush();
    close(peer);
    expect(next()).toMatchObject({ fd, generation: 1, result: -C.ECONNRESET });
    events.send(fd, events.room(), 10);
    expect(next()).toMatchObject({ fd, generation: 1, mask: C.EPOLLERR, result: -C.EPIPE });
    events.close(fd, false);
  });
});
