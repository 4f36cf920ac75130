/** How a sending thread starts handshakes, sends, and learns what has come: one interface, two ways of the kernel behind it. */
import type { SourcePorts } from './source-ports.js';

/** Events taken from the kernel at a time. */
export const EVENTS_AT_A_TIME = 256;
/** `result` of an event whose bytes are still the kernel's, to be asked for with recv(2). */
export const NOT_READ = -(2 ** 31);

/** `result` of an event of a handshake, which brings no bytes. */
export const NO_BYTES = NOT_READ + 1;

/** Where a connection goes from one host. */
export interface Destination {
  /** A struct sockaddr_in that stays where it is in memory. */
  address: Uint8Array;
  /** Where `address` lies. */
  pointer: bigint;
  ports: SourcePorts;
}

/** Events of one turn, by their index from 0 on: arrays, so that none is an object. */
export interface EventBatch {
  fd: Int32Array;
  /** What was given to `connect` for that descriptor; another one than now means that the event is of a closed connection. */
  generation: Int32Array;
  /** EPOLL* bits. */
  mask: Int32Array;
  /** Where the bytes come with the event: how many, 0 at the end of the stream, or minus the errno. Else NOT_READ or NO_BYTES. */
  result: Int32Array;
  /** Where those bytes begin in `received`. */
  offset: Int32Array;
}

/** What starts and watches the sockets of one sending thread. */
export interface ConnectionEvents {
  /** How it waits. */
  readonly timer: 'io_uring' | 'epoll_pwait2' | 'epoll_wait';
  /** The most calls of `connect` before a `handOver`. */
  readonly atATime: number;
  /** Does at once what else would be done with the next `handOver` or `wait`: requests that are to be sent, ends of connections. */
  flush(): void;
  /** Wants a handshake of this socket; it begins with the next `handOver`. `generation` comes back with its events. */
  connect(fd: number, generation: number, destination: Destination): void;
  /** Starts the handshakes that are wanted. */
  handOver(): void;
  /** The errno with which the kernel has refused this handshake in the last `handOver`; 0 where its SYN has left. */
  refusal(fd: number): number;
  /** Of an event of a handshake with EPOLLERR or EPOLLHUP: the errno that ended it, or 0. */
  handshakeError(index: number): number;
  /** Where the next request is best written to. */
  room(): Buffer;
  /** Sends a request, before the next `wait` is over; the errno that has kept it from being sent whole, or 0. One that is known later is the `result` of an event with EPOLLERR. */
  send(fd: number, bytes: Buffer, length: number): number;
  /** Wants the next event of a connection whose last one has been dealt with. */
  watch(fd: number): void;
  /** Closes it by FIN, or by RST when `abort`; it has no events any more. */
  close(fd: number, abort: boolean): void;
  /** Waits for events up to `timeoutNs` and returns how many there are, EVENTS_AT_A_TIME at most. */
  wait(timeoutNs: number): number;
  /** Those of the last `wait`. */
  readonly events: EventBatch;
  /** The bytes that came with them, until the next `wait`. */
  readonly received: Buffer;
  /** The most bytes that come with an event: where they are so many, there may be more to be asked for. */
  readonly mostBytes: number;
  /** Frees all; events there are no more. */
  dispose(): void;
}

/** A batch without events. */
export function eventBatch(): EventBatch {
  const column = () => new Int32Array(EVENTS_AT_A_TIME);
  return { fd: column(), generation: column(), mask: column(), result: column(), offset: column() };
}
