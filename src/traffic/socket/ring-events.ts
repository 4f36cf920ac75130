/**
 * io_uring: handshakes, requests and waits for what comes are handed over to the kernel many at a time, and bytes come with their events. No request of
 * a connection that is closed after its answer is left in the ring.
 */
import { openIoUring, UNASKED } from '../../sys/io-uring.js';
import { BUFFER_BYTES } from '../../sys/io-uring-buffers.js';
import { addressOf, C, close, errno, send } from '../../sys/libc.js';
import {
  type ConnectionEvents,
  type Destination,
  EVENTS_AT_A_TIME,
  eventBatch,
  NO_BYTES,
} from './connection-events.js';
import { endConnection, resetOnClose, socketError } from './socket-end.js';

/** Handshakes that begin with one call: more of them would keep answers waiting. */
const CONNECTIONS_AT_A_TIME = 32;
/** Room for what is handed over at a time, and for what has come and is not read. */
const REQUESTS = 1024;
const COMPLETIONS = 65_536;
/** Longer requests are sent by a call of their own. */
const LONGEST_IN_RING = 2048;

/**
 * What a completion is of; it stands above the descriptor in what comes back with it. A connection waits for one of the first three at most, and for
 * nothing with `none`.
 */
const Of = { none: 0, connect: 1, handshake: 2, bytes: 3, request: 4 } as const;
const OF_SHIFT = 28;
const FD_MASK = (1 << OF_SHIFT) - 1;
const FAILED = C.EPOLLERR | C.EPOLLHUP;

/**
 * Events by a ring of the calling thread, for connections that carry one request and are closed after its answer; undefined where this process can have none.
 * @param descriptors highest number of descriptors that this process may have
 */
export function ringEvents(descriptors: number): ConnectionEvents | undefined {
  const opened = openIoUring(REQUESTS, COMPLETIONS);
  if (opened === undefined) return undefined;
  const ring = opened;
  /** `Of` of what each connection waits for. */
  const waitsFor = new Uint8Array(descriptors);
  const generationOf = new Int32Array(descriptors);
  const refusedWith = new Int32Array(descriptors);
  const wanted = new Int32Array(CONNECTIONS_AT_A_TIME);
  const towards: Destination[] = new Array(CONNECTIONS_AT_A_TIME);
  let count = 0;
  const events = eventBatch();
  /** What connect(2) says of a handshake that has failed, by event. */
  const handshakeErrors = new Int32Array(EVENTS_AT_A_TIME);
  /** Buffers of the ring that the events of this turn have filled. */
  const filled = new Int32Array(COMPLETIONS);
  let filledCount = 0;
  /** Requests until they are handed over; there are never more of them than the ring has room for. */
  const requests = Buffer.allocUnsafeSlow((REQUESTS + 1) * LONGEST_IN_RING);
  const requestsAt = addressOf(requests);
  const starts = Array.from({ length: REQUESTS + 1 }, (_, index) => index * LONGEST_IN_RING);
  const rooms = starts.map((start) => requests.subarray(start, start + LONGEST_IN_RING));
  const roomsAt = starts.map((start) => requestsAt + BigInt(start));
  let place = 0;

  const tagged = (fd: number, of: number) => (of << OF_SHIFT) | fd;

  function begin(fd: number, { ports, address, pointer }: Destination): void {
    refusedWith[fd] = 0;
    if (!ports.narrow) {
      waitsFor[fd] = Of.connect;
      ring.connect(fd, pointer, address.length, tagged(fd, Of.connect), generationOf[fd]);
      return;
    }
    // It may take several calls until one finds a port.
    refusedWith[fd] = ports.connect(fd, address);
    if (refusedWith[fd] !== 0) return;
    waitsFor[fd] = Of.handshake;
    ring.poll(fd, C.EPOLLOUT, tagged(fd, Of.handshake), generationOf[fd]);
  }

  function receive(fd: number): void {
    waitsFor[fd] = Of.bytes;
    ring.receive(fd, tagged(fd, Of.bytes), generationOf[fd]);
  }

  /** What connect(2) refuses at once is there without a wait. Its completion is taken later, and is of nothing that is waited for then. */
  function findRefusals(from: number): void {
    for (let at = from; at !== ring.tail; at = (at + 1) | 0) {
      const low = ring.low(at);
      const fd = low & FD_MASK;
      const result = ring.result(at);
      if (low === UNASKED || low >>> OF_SHIFT !== Of.connect || result >= 0 || generationOf[fd] !== ring.high(at))
        continue;
      refusedWith[fd] = -result;
      waitsFor[fd] = Of.none;
    }
  }

  /** Makes the completion at this position the event of this index; false where the loop has nothing to do with it. */
  function tell(at: number, index: number): boolean {
    const buffer = ring.buffer(at);
    if (buffer >= 0) filled[filledCount++] = buffer;
    const low = ring.low(at);
    if (low === UNASKED) return false;
    const fd = low & FD_MASK;
    const of = low >>> OF_SHIFT;
    if (generationOf[fd] !== ring.high(at) || (of !== Of.request && of !== waitsFor[fd])) return false;
    const result = ring.result(at);
    events.fd[index] = fd;
    events.generation[index] = generationOf[fd];
    events.result[index] = result;
    events.offset[index] = buffer * BUFFER_BYTES;
    if (of === Of.request) {
      // A new connection has room for a request, unless the memory of all sockets is used up.
      events.mask[index] = C.EPOLLERR;
      events.result[index] = result < 0 ? result : -C.EAGAIN;
      return true;
    }
    waitsFor[fd] = Of.none;
    if (of === Of.bytes) {
      // No buffer was free, or no memory to wait with.
      if (result === -C.ENOBUFS || result === -C.EAGAIN || result === -C.EINTR) {
        receive(fd);
        return false;
      }
      events.mask[index] = C.EPOLLIN;
      return true;
    }
    handshakeErrors[index] = Math.max(0, -result);
    events.result[index] = NO_BYTES;
    if (of === Of.connect) events.mask[index] = result === 0 ? C.EPOLLOUT : FAILED;
    else events.mask[index] = result < 0 ? FAILED : result;
    return true;
  }

  return {
    timer: 'io_uring',
    atATime: CONNECTIONS_AT_A_TIME,
    flush: () => ring.flush(),
    connect(fd, generation, destination) {
      generationOf[fd] = generation;
      wanted[count] = fd;
      towards[count++] = destination;
    },
    handOver() {
      const from = ring.tail;
      for (let index = 0; index < count; index++) begin(wanted[index], towards[index]);
      count = 0;
      ring.submit();
      findRefusals(from);
    },
    refusal: (fd) => refusedWith[fd],
    // Some kernels between 6.1 and 6.14 call every late failure ECONNRESET, and leave the real one with the socket.
    handshakeError: (index) => socketError(events.fd[index]) || handshakeErrors[index],
    room: () => rooms[place],
    send(fd, bytes, length) {
      if (bytes !== rooms[place]) return send(fd, bytes, length, C.MSG_NOSIGNAL) === length ? 0 : errno();
      ring.send(fd, roomsAt[place], length, tagged(fd, Of.request), generationOf[fd]);
      place = (place + 1) % rooms.length;
      return 0;
    },
    watch(fd) {
      if (waitsFor[fd] === Of.none) receive(fd);
    },
    close(fd, abort) {
      if (waitsFor[fd] === Of.none) {
        if (abort) resetOnClose(fd);
        close(fd);
        return;
      }
      endConnection(fd, abort);
      ring.cancelAndClose(fd, tagged(fd, waitsFor[fd]), generationOf[fd]);
      waitsFor[fd] = Of.none;
    },
    wait(timeoutNs) {
      for (let index = 0; index < filledCount; index++) ring.giveBack(filled[index]);
      filledCount = 0;
      ring.wait(timeoutNs);
      const { tail } = ring;
      let told = 0;
      let at = ring.head;
      for (; at !== tail && told < EVENTS_AT_A_TIME; at = (at + 1) | 0) if (tell(at, told)) told++;
      ring.take(at);
      return told;
    },
    events,
    received: ring.received,
    mostBytes: BUFFER_BYTES,
    dispose: () => ring.dispose(),
  };
}
