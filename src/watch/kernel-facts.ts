/** Settings and totals of this network namespace that cost microseconds to read (proc(5)). */
import { readFileSync } from 'node:fs';
import { type Counters, readConntrackFill, readCounters } from '../observe/counters.js';
import type { PortRange } from '../scenario/units.js';
import {
  type BlockedPorts,
  parsePortRange,
  parseReservedPorts,
  parseTimeWaitReuse,
  type TimeWaitReuse,
} from './port-pool.js';

/** The settings that decide about pools. They are read with every count, for an administrator changes them while the watch runs. */
export interface PortSettings {
  range: PortRange;
  reserved: BlockedPorts;
  reuse: TimeWaitReuse;
}

/** Reads the settings. */
export function readPortSettings(): PortSettings {
  const setting = (name: string) => readProc(`/proc/sys/net/ipv4/${name}`);
  return {
    range: parsePortRange(setting('ip_local_port_range')),
    reserved: parseReservedPorts(setting('ip_local_reserved_ports')),
    reuse: parseTimeWaitReuse(setting('tcp_tw_reuse'), setting('tcp_tw_reuse_delay'), setting('tcp_timestamps')),
  };
}

/** Totals at one moment. */
export interface KernelFacts {
  counters: Counters;
  sockets: { inUse: number; timeWait: number; orphans: number };
  /** undefined where the kernel tracks no connections here. */
  conntrack: { count: number; max: number } | undefined;
}

/** Reads the totals. */
export function readKernelFacts(): KernelFacts {
  const tcp = parseSockstat(readProc('/proc/thread-self/net/sockstat'), 'TCP');
  const tcp6 = parseSockstat(readProc('/proc/thread-self/net/sockstat6'), 'TCP6');
  return {
    counters: readCounters(null),
    sockets: { inUse: (tcp.inuse ?? 0) + (tcp6.inuse ?? 0), timeWait: tcp.tw ?? 0, orphans: tcp.orphan ?? 0 },
    conntrack: readConntrackFill(null),
  };
}

/** The numbers of a line of /proc/net/sockstat, `TCP: inuse 515 orphan 1 tw 15182`, by name. */
export function parseSockstat(text: string, line: string): Record<string, number> {
  const words = (text.split('\n').find((one) => one.startsWith(`${line}:`)) ?? '').split(' ').slice(1);
  const numbers: Record<string, number> = {};
  for (let word = 0; word + 1 < words.length; word += 2) numbers[words[word]] = Number(words[word + 1]);
  return numbers;
}

/** '' where this kernel does not have the file. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
