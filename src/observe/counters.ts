/** The kernel's own counters of one network namespace: the cross-check of what taps and logs say of single connections. */
import { inNamespace } from '../sys/namespace.js';
import { readProc } from '../sys/proc-file.js';
import type { CounterDeltas } from './observations.js';

/** Counters by name: `TcpExt.ListenOverflows`, `Tcp.OutRsts`, `conntrack.insert_failed`. */
export type Counters = Record<string, number>;

/** Reads all counters of a namespace. Those of connection tracking are absent where the kernel has none. */
export function readCounters(netns: string | null): Counters {
  return inNamespace(netns, () => ({
    ...parseNetstat(readProc('/proc/thread-self/net/netstat')),
    ...parseNetstat(readProc('/proc/thread-self/net/snmp')),
    ...parseConntrackStat(readProc('/proc/thread-self/net/stat/nf_conntrack')),
  }));
}

/** After minus before, zeros left out; a counter that came up in between started at 0. */
export function counterDeltas(before: Counters, after: Counters): CounterDeltas {
  const deltas: CounterDeltas = {};
  for (const [name, value] of Object.entries(after)) {
    const delta = value - (before[name] ?? 0);
    if (delta !== 0) deltas[name] = delta;
  }
  return deltas;
}

/** How full a namespace's connection table is; undefined where the kernel has none. */
export function readConntrackFill(netns: string | null): { count: number; max: number } | undefined {
  return inNamespace(netns, () => {
    const count = readProc('/proc/sys/net/netfilter/nf_conntrack_count');
    if (count === '') return undefined;
    return { count: Number(count), max: Number(readProc('/proc/sys/net/netfilter/nf_conntrack_max')) };
  });
}

/** Text of /proc/net/netstat or /proc/net/snmp: pairs of lines, names above values, each behind its group's name. */
export function parseNetstat(text: string): Counters {
  const counters: Counters = {};
  const lines = text.split('\n');
  for (let line = 0; line + 1 < lines.length; line += 2) {
    const names = lines[line].split(' ');
    const values = lines[line + 1].split(' ');
    const group = names[0].replace(':', '');
    for (let i = 1; i < names.length; i++) counters[`${group}.${names[i]}`] = Number(values[i]);
  }
  return counters;
}

/** Text of /proc/net/stat/nf_conntrack: names, then hexadecimal values, one line per core; summed over the cores. */
export function parseConntrackStat(text: string): Counters {
  const [head = '', ...rows] = text.trim().split('\n');
  const names = head.split(/\s+/).filter((name) => name !== '');
  const counters: Counters = {};
  for (const row of rows) {
    const values = row.trim().split(/\s+/);
    for (let i = 0; i < names.length; i++) {
      // `entries` is the whole table's size, the same in every row, and no counter.
      if (names[i] === 'entries') continue;
      const key = `conntrack.${names[i]}`;
      counters[key] = (counters[key] ?? 0) + Number.parseInt(values[i], 16);
    }
  }
  return counters;
}
