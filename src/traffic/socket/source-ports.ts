/**
 * connect(2) with the source port that the kernel chooses, also where few are left.
 *
 * The kernel looks for a free port from a random one on, among the ports of the range's first parity, then among the others
 * (`__inet_hash_connect`). Once those of the first are taken, it passes over half of the range for each connection: tens of
 * milliseconds of a processor at 64,000 ports, and the generator would be the bottleneck. From then on it is shown a small part of the range at a
 * time (IP_LOCAL_PORT_RANGE, ip(7), Linux 6.3); there is no port only where no part has one.
 */
import { readFileSync } from 'node:fs';
import { C, connect, errno, setsockopt } from '../../sys/libc.js';
import { parseLocalPortRange } from '../../sys/local-port-range.js';

/** Ports of a part. */
const PART = 512;
/** In a smaller range the kernel's own search takes no time that matters. */
const LARGE_RANGE = 8192;
const SOCKADDR_BYTES = 16;

/** The source ports towards one address and port. */
export interface SourcePorts {
  /** Whether `connect` shows the kernel a part of the range at a time: it may take several calls then. */
  readonly narrow: boolean;
  /** Starts a handshake. Returns 0, or the errno: EADDRNOTAVAIL where no port is free. */
  connect(fd: number, address: Uint8Array): number;
  /** What connect(2) has chosen. */
  chosen(port: number): void;
}

/** Those of the calling thread's network namespace. */
export function sourcePorts(): SourcePorts {
  const { lo, hi } = localRange();
  const parts = Math.ceil((hi - lo + 1) / PART);
  const large = hi - lo + 1 >= LARGE_RANGE;
  const value = new Uint8Array(4);
  const words = new DataView(value.buffer);
  let narrow = false;
  let part = 0;

  const start = (fd: number, address: Uint8Array) => {
    if (connect(fd, address, SOCKADDR_BYTES) === 0) return 0;
    const code = errno();
    return code === C.EINPROGRESS ? 0 : code;
  };

  return {
    get narrow() {
      return narrow;
    },
    connect(fd, address) {
      if (!narrow) return start(fd, address);
      for (let tried = 0; tried < parts; tried++) {
        const first = lo + part * PART;
        words.setUint16(0, first, true);
        words.setUint16(2, Math.min(first + PART - 1, hi), true);
        // A kernel that does not know it looks for itself.
        if (setsockopt(fd, C.IPPROTO_IP, C.IP_LOCAL_PORT_RANGE, value, value.length) !== 0) narrow = false;
        const code = start(fd, address);
        if (code !== C.EADDRNOTAVAIL || !narrow) return code;
        part = (part + 1) % parts;
      }
      return C.EADDRNOTAVAIL;
    },
    chosen(port) {
      if (large && port % 2 !== lo % 2) narrow = true;
    },
  };
}

/** The kernel's own where it cannot be read. */
function localRange() {
  try {
    return parseLocalPortRange(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1'));
  } catch {
    return { lo: 32_768, hi: 60_999 };
  }
}
