/** Settings and totals of this network namespace that cost microseconds to read (proc(5)). */
import { parseConntrackStat } from '../observe/counters.js';
import type { PortRange } from '../scenario/units.js';
import { parseLocalPortRange } from '../sys/local-port-range.js';
import { pickNumbers, procFile, readProc } from '../sys/proc-file.js';
import { type BlockedPorts, parseReservedPorts, parseTimeWaitReuse, type TimeWaitReuse } from './port-pool.js';
import type { ConntrackDrops } from './sample.js';

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
    range: parseLocalPortRange(setting('ip_local_port_range')),
    reserved: parseReservedPorts(setting('ip_local_reserved_ports')),
    reuse: parseTimeWaitReuse(setting('tcp_tw_reuse'), setting('tcp_tw_reuse_delay'), setting('tcp_timestamps')),
  };
}

/** Totals at one moment; counters are those since the namespace began. */
export interface KernelFacts {
  sockets: { inUse: number; timeWait: number; orphans: number };
  /** Connections that programs have opened (ActiveOpens). */
  opened: number;
  /** SYNs and connections for which the accept queue had no room (ListenOverflows). */
  listenOverflows: number;
  /** Those turned away for whatever reason (ListenDrops). */
  listenDrops: number;
  /** undefined where the kernel tracks no connections here. */
  conntrack: { count: number; max: number } | undefined;
  /** undefined where /proc does not show them. */
  conntrackDrops: ConntrackDrops | undefined;
}

/** Reads totals again and again. */
export interface FactsReader {
  /** The totals now. */
  read(): KernelFacts;
  /** Closes the files. */
  close(): void;
}

/** Opens the files of the network namespace of this process. */
export function openFacts(): FactsReader {
  const files = {
    sockstat: procFile('/proc/self/net/sockstat'),
    sockstat6: procFile('/proc/self/net/sockstat6'),
    snmp: procFile('/proc/self/net/snmp'),
    netstat: procFile('/proc/self/net/netstat'),
    conntrackCount: procFile('/proc/sys/net/netfilter/nf_conntrack_count'),
    conntrackMax: procFile('/proc/sys/net/netfilter/nf_conntrack_max'),
    conntrackStat: procFile('/proc/self/net/stat/nf_conntrack'),
  };
  const opens = pickNumbers('Tcp', ['ActiveOpens']);
  const listening = pickNumbers('TcpExt', ['ListenOverflows', 'ListenDrops']);
  return {
    read() {
      const tcp = parseSockstat(files.sockstat.read(), 'TCP');
      const tcp6 = parseSockstat(files.sockstat6.read(), 'TCP6');
      const [opened] = opens(files.snmp.read());
      const [listenOverflows, listenDrops] = listening(files.netstat.read());
      const count = files.conntrackCount.read();
      return {
        sockets: { inUse: (tcp.inuse ?? 0) + (tcp6.inuse ?? 0), timeWait: tcp.tw ?? 0, orphans: tcp.orphan ?? 0 },
        opened,
        listenOverflows,
        listenDrops,
        conntrack: count === '' ? undefined : { count: Number(count), max: Number(files.conntrackMax.read()) },
        conntrackDrops: count === '' ? undefined : parseDrops(files.conntrackStat.read()),
      };
    },
    close() {
      for (const file of Object.values(files)) file.close();
    },
  };
}

/** The numbers of a line of /proc/net/sockstat, `TCP: inuse 515 orphan 1 tw 15182`, by name. */
export function parseSockstat(text: string, line: string): Record<string, number> {
  const words = (text.split('\n').find((one) => one.startsWith(`${line}:`)) ?? '').split(' ').slice(1);
  const numbers: Record<string, number> = {};
  for (let word = 0; word + 1 < words.length; word += 2) numbers[words[word]] = Number(words[word + 1]);
  return numbers;
}

function parseDrops(text: string): ConntrackDrops | undefined {
  if (text === '') return undefined;
  const counters = parseConntrackStat(text);
  return {
    drop: counters['conntrack.drop'] ?? 0,
    earlyDrop: counters['conntrack.early_drop'] ?? 0,
    insertFailed: counters['conntrack.insert_failed'] ?? 0,
  };
}
