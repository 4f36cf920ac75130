/** System calls through koffi: thin, typed, resolved once; each returns what the kernel returns, and `errno()` tells why. */
import { createRequire } from 'node:module';
import type koffiNamespace from 'koffi';
import { testbedError } from '../errors.js';
import { Errno } from './errno.js';
import { ipToNumber } from './ip.js';

export { errnoName } from './errno.js';
export { ipToNumber, numberToIp } from './ip.js';

function onLinuxOnly(): never {
  throw testbedError(`${process.platform} has no Linux system calls`);
}

/** Elsewhere the harness speaks to agents, which run on Linux, and nothing of this is called; loading it must not fail. */
const ELSEWHERE = {
  load: () => ({ func: () => onLinuxOnly }),
  errno: onLinuxOnly,
  view: onLinuxOnly,
  address: onLinuxOnly,
};

/** koffi is loaded with the first system call's module, not with the command line: `--help` stays instant. */
const koffi = (
  process.platform === 'linux' ? createRequire(import.meta.url)('koffi') : ELSEWHERE
) as typeof koffiNamespace;

const lib = koffi.load('libc.so.6');

type Address = bigint;

const bind_ = <F>(prototype: string) => lib.func(prototype) as unknown as F;

/** errno of the last failed call of this thread. Read it right after the call. */
export const errno = (): number => koffi.errno();

/** The memory behind an address, as an ArrayBuffer (no copy). */
export const viewMemory = (address: Address, bytes: number): ArrayBuffer => koffi.view(address, bytes);

/** Where the memory of `bytes` lies, for a struct that holds a pointer. Keep `bytes` reachable until the call is over. */
export const addressOf = (bytes: Uint8Array): Address => koffi.address(bytes);

// Sockets. `address` arguments are Buffers made by `sockaddrIn` and the like.
/** socket(2): a descriptor, or -1 with errno. */
export const socket = bind_<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)');
/** bind(2): 0, or -1 with errno. */
export const bind = bind_<(fd: number, address: Uint8Array, length: number) => number>(
  'int bind(int, const uint8_t*, uint32_t)',
);
/** connect(2): 0, or -1 with errno; EINPROGRESS once a non-blocking socket has sent its SYN. */
export const connect = bind_<(fd: number, address: Uint8Array, length: number) => number>(
  'int connect(int, const uint8_t*, uint32_t)',
);
/** listen(2): 0, or -1 with errno. */
export const listen = bind_<(fd: number, backlog: number) => number>('int listen(int, int)');
/** accept4(2): a descriptor, or -1 with errno. `address` receives the peer's sockaddr; `length`, bytes, is read and written. */
export const accept4 = bind_<
  (fd: number, address: Uint8Array | null, length: Uint32Array | null, flags: number) => number
>('int accept4(int, uint8_t*, uint32_t*, int)');
/** getsockname(2): 0, or -1 with errno. `address` receives the own sockaddr; `length`, bytes, is read and written. */
export const getsockname = bind_<(fd: number, address: Uint8Array, length: Uint32Array) => number>(
  'int getsockname(int, uint8_t*, uint32_t*)',
);
/** send(2): how many bytes the kernel took, or -1 with errno. */
export const send = bind_<(fd: number, data: Uint8Array, length: number, flags: number) => number>(
  'int64_t send(int, const uint8_t*, size_t, int)',
);
/** recv(2): how many bytes came, 0 where the peer has closed its side, or -1 with errno. */
export const recv = bind_<(fd: number, data: Uint8Array, length: number, flags: number) => number>(
  'int64_t recv(int, uint8_t*, size_t, int)',
);
/** shutdown(2): 0, or -1 with errno. */
export const shutdown = bind_<(fd: number, how: number) => number>('int shutdown(int, int)');
/** dup2(2): `to`, or -1 with errno. */
export const dup2 = bind_<(from: number, to: number) => number>('int dup2(int, int)');
/** close(2): 0, or -1 with errno. The descriptor is free either way. */
export const close = bind_<(fd: number) => number>('int close(int)');
/** setsockopt(2): 0, or -1 with errno. `length` is that of `value`, bytes. */
export const setsockopt = bind_<(fd: number, level: number, name: number, value: Uint8Array, length: number) => number>(
  'int setsockopt(int, int, int, const uint8_t*, uint32_t)',
);
/** setsockopt(2) on a thread of libuv's pool: some options (a packet ring) wait tens of ms in the kernel. 0 or -1; errno is lost. */
export const setsockoptInBackground = (fd: number, level: number, name: number, value: Uint8Array): Promise<number> =>
  new Promise((resolve, reject) => {
    (setsockopt as unknown as { async(...args: unknown[]): void }).async(
      fd,
      level,
      name,
      value,
      value.length,
      (error: Error | null, result: number) => (error === null ? resolve(result) : reject(error)),
    );
  });
/** getsockopt(2): 0, or -1 with errno. `value` receives the option; `length`, bytes, is read and written. */
export const getsockopt = bind_<
  (fd: number, level: number, name: number, value: Uint8Array, length: Uint32Array) => number
>('int getsockopt(int, int, int, uint8_t*, uint32_t*)');

// Waiting.
/** epoll_create1(2): a descriptor, or -1 with errno. */
export const epollCreate1 = bind_<(flags: number) => number>('int epoll_create1(int)');
/** epoll_ctl(2): 0, or -1 with errno. `event` is a struct epoll_event of EPOLL_EVENT_BYTES. */
export const epollCtl = bind_<(epoll: number, operation: number, fd: number, event: Uint8Array | null) => number>(
  'int epoll_ctl(int, int, int, uint8_t*)',
);
/** epoll_wait(2): how many events it has put into `events`, or -1 with errno. `timeoutMs` -1 waits for ever. */
export const epollWait = bind_<(epoll: number, events: Uint8Array, max: number, timeoutMs: number) => number>(
  'int epoll_wait(int, uint8_t*, int, int)',
);
/**
 * epoll_pwait2(2): returns as `epollWait` does. `timeout` is a struct timespec as two 64-bit integers, or null to wait for ever.
 * Needs kernel 5.11 and glibc 2.35; undefined where the C library lacks it.
 */
export const epollPwait2 = optional<
  (epoll: number, events: Uint8Array, max: number, timeout: BigInt64Array | null, signals: null) => number
>('int epoll_pwait2(int, uint8_t*, int, int64_t*, void*)');

// io_uring, which has no wrappers in glibc.
/** io_uring_setup(2), its number first: a descriptor, or -1 with errno. `params` is a struct io_uring_params. */
export const ioUringSetup = bind_<(number: number, entries: number, params: Uint8Array) => number>(
  'int64_t syscall(int64_t, int64_t, uint8_t*)',
);
/** io_uring_enter(2), its number first: how many requests were handed over, or -1 with errno. `argument` is a struct io_uring_getevents_arg. */
export const ioUringEnter = bind_<
  (
    number: number,
    ring: number,
    submit: number,
    least: number,
    flags: number,
    argument: Uint8Array,
    length: number,
  ) => number
>('int64_t syscall(int64_t, int64_t, int64_t, int64_t, int64_t, uint8_t*, int64_t)');

/** io_uring_register(2), its number first: 0, or -1 with errno. `argument` is what the operation takes. */
export const ioUringRegister = bind_<
  (number: number, ring: number, operation: number, argument: Uint8Array, count: number) => number
>('int64_t syscall(int64_t, int64_t, int64_t, uint8_t*, int64_t)');

// Namespaces and processes.
/** setns(2): 0, or -1 with errno. Moves the calling thread only. */
export const setns = bind_<(fd: number, type: number) => number>('int setns(int, int)');
/** unshare(2): 0, or -1 with errno. Moves the calling thread only. */
export const unshare = bind_<(flags: number) => number>('int unshare(int)');
/** mount(2): 0, or -1 with errno. */
export const mount = bind_<(source: string, target: string, type: string, flags: number, data: string) => number>(
  'int mount(const char*, const char*, const char*, uint64_t, const char*)',
);
/** prctl(2): 0 for the options in `C`, or -1 with errno. */
export const prctl = bind_<(option: number, argument: number, a3: number, a4: number, a5: number) => number>(
  'int prctl(int, uint64_t, uint64_t, uint64_t, uint64_t)',
);
/** _exit(2): ends the process at once, threads included, without running any handler. */
export const exitNow = bind_<(code: number) => never>('void _exit(int)');
/** getrlimit(2): 0, or -1 with errno. `limit` receives the soft and the hard limit. */
export const getrlimit = bind_<(resource: number, limit: BigUint64Array) => number>('int getrlimit(int, uint64_t*)');
/** setrlimit(2): 0, or -1 with errno. `limit` is the soft and the hard limit. */
export const setrlimit = bind_<(resource: number, limit: BigUint64Array) => number>('int setrlimit(int, uint64_t*)');
/** getrusage(2): 0, or -1 with errno. `usage` receives a struct rusage of 144 bytes. */
export const getrusage = bind_<(who: number, usage: BigInt64Array) => number>('int getrusage(int, int64_t*)');
/** syscall(2), for sched_setattr(2), which has no wrapper in glibc 2.36: 0, or -1 with errno. `a2` is a struct sched_attr. */
export const syscall3 = bind_<(number: number, a1: number, a2: Uint8Array, a3: number) => number>(
  'int64_t syscall(int64_t, int64_t, uint8_t*, int64_t)',
);
/** sched_getaffinity(2) of a thread (0: the calling one): 0, or -1 with errno. `mask` receives a bit per core. */
export const schedGetaffinity = bind_<(thread: number, length: number, mask: Uint8Array) => number>(
  'int sched_getaffinity(int, size_t, uint8_t*)',
);
/** sched_setaffinity(2) of a thread (0: the calling one): 0, or -1 with errno. `mask` has a bit per core. */
export const schedSetaffinity = bind_<(thread: number, length: number, mask: Uint8Array) => number>(
  'int sched_setaffinity(int, size_t, const uint8_t*)',
);
/** usleep(3) on a thread of libuv's pool, so that the event loop stays free; finer than its timers. */
export const usleep = bind_<{
  /** Calls `done` on the event loop after the sleep, with 0, or -1 where a signal has ended it. */
  async(microseconds: number, done: (error: Error | null, result: number) => void): void;
}>('int usleep(uint32_t)');
/** clock_gettime(2): 0, or -1 with errno. `time` receives seconds and nanoseconds. */
export const clockGettime = bind_<(clock: number, time: BigInt64Array) => number>('int clock_gettime(int, int64_t*)');

// Memory.
/** mmap(2): the mapping, or MAP_FAILED (-1 as 64 bits) with errno. */
export const mmap = bind_<
  (address: null, length: number, protection: number, flags: number, fd: number, offset: number) => Address
>('void* mmap(void*, size_t, int, int, int, int64_t)');
/** Whether mmap(2) has returned MAP_FAILED. */
export const isMapFailed = (mapping: Address): boolean => BigInt.asIntN(64, mapping) === -1n;
/** munmap(2): 0, or -1 with errno. */
export const munmap = bind_<(address: Address, length: number) => number>('int munmap(void*, size_t)');

/** A function that older C libraries lack: undefined there. */
function optional<F>(prototype: string): F | undefined {
  try {
    return bind_<F>(prototype);
  } catch {
    return undefined;
  }
}

/** Numbers of <sys/socket.h>, <netinet/tcp.h>, <sys/epoll.h>, <sched.h> and friends, the same on x86_64 and arm64. */
export const C = {
  AF_UNSPEC: 0,
  AF_UNIX: 1,
  AF_INET: 2,
  AF_NETLINK: 16,
  AF_PACKET: 17,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SHUT_RDWR: 2,
  SO_REUSEADDR: 2,
  SO_ERROR: 4,
  SO_RCVBUF: 8,
  SO_LINGER: 13,
  SO_REUSEPORT: 15,
  SO_ATTACH_FILTER: 26,
  SO_RCVBUFFORCE: 33,
  IPPROTO_IP: 0,
  IP_BIND_ADDRESS_NO_PORT: 24,
  IP_LOCAL_PORT_RANGE: 51,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  TCP_INFO: 11,
  TCP_QUICKACK: 12,
  SOL_PACKET: 263,
  PACKET_RX_RING: 5,
  PACKET_STATISTICS: 6,
  PACKET_VERSION: 10,
  SOL_NETLINK: 270,
  NETLINK_ADD_MEMBERSHIP: 1,
  NETLINK_NETFILTER: 12,
  NETLINK_SOCK_DIAG: 4,
  MSG_DONTWAIT: 0x40,
  MSG_WAITALL: 0x100,
  MSG_NOSIGNAL: 0x4000,
  MSG_MORE: 0x8000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CTL_MOD: 3,
  EPOLLIN: 1,
  EPOLLOUT: 4,
  EPOLLERR: 8,
  EPOLLHUP: 16,
  EPOLLRDHUP: 0x2000,
  EPOLLET: 0x80000000,
  SYS_io_uring_setup: 425,
  SYS_io_uring_enter: 426,
  SYS_io_uring_register: 427,
  CLONE_NEWNET: 0x40000000,
  CLONE_NEWNS: 0x20000,
  PR_SET_PDEATHSIG: 1,
  PR_SET_TIMERSLACK: 29,
  RLIMIT_NOFILE: 7,
  RUSAGE_SELF: 0,
  RUSAGE_THREAD: 1,
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_ANONYMOUS: 0x20,
  ...Errno,
} as const;

/** struct epoll_event is packed on x86_64 only (<sys/epoll.h>): 12 bytes there, 16 elsewhere. */
export const EPOLL_EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
/** Offset of the 64-bit `data` field in struct epoll_event. */
export const EPOLL_DATA_OFFSET = process.arch === 'x64' ? 4 : 8;

/** A struct sockaddr_in of 16 bytes for a dotted IPv4 address and a port; the garbage collector does not move it. */
export function sockaddrIn(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, C.AF_INET, true);
  view.setUint16(2, port, false);
  view.setUint32(4, ipToNumber(address), false);
  return bytes;
}
