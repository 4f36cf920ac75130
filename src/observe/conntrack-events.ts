/** A gateway's connection table as it changes: netlink events for every new and every ended entry, and the ports they hold. */
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { C, close, errno, recv } from '../sys/libc.js';
import { inNamespace } from '../sys/namespace.js';
import type { Host } from '../testbed/host.js';
import { fromHalves, nowSinceStart, type RunClock } from './clock.js';
import { doubled, newColumns } from './columns.js';
import { newEntry, parseEntry } from './conntrack-entry.js';
import { CONNTRACK_FILTER } from './conntrack-filter.js';
import { CONNTRACK_SHAPE, conntrackLog, EntryEvent, stateName } from './conntrack-table.js';
import { readConntrackFill } from './counters.js';
import {
  dump,
  dumpRequest,
  HEADER_BYTES,
  joinGroup,
  NLM_F_CREATE,
  openNetlink,
  walkMessages,
  widenReceiveBuffer,
} from './netlink.js';
import type { ConntrackLog } from './observations.js';
import { isFinished, type PortsInUse, portsInUse, reusesFinishedPorts } from './ports-in-use.js';
import { attachFilter } from './socket-filter.js';

/** An open log of a gateway's connection table. */
export interface ConntrackWatch {
  /** Takes over what has happened since the last time. */
  drain(): void;
  /** The ports that translated connections hold, as of the last `drain`. */
  ports: Pick<PortsInUse, 'now' | 'peak'>;
  /** Entries of TCP over IPv4 that were there when the log began; they count as ports in use, and have no `new` event. */
  entriesAtStart: number;
  /** False where the kernel does not note when an entry came and went: times are then those of `drain`. */
  exactTimes: boolean;
  /** Entries by TCP state, now: one walk through the whole table. */
  countStates(): Record<string, number>;
  /** Takes over the rest, ends the log and gives it. */
  close(): ConntrackLog;
}

const WHAT = 'the connection table';
const NFNLGRP_CONNTRACK_NEW = 1;
const NFNLGRP_CONNTRACK_UPDATE = 2;
const NFNLGRP_CONNTRACK_DESTROY = 3;
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const messageType = (message: number) => (NFNL_SUBSYS_CTNETLINK << 8) | message;

const RECEIVE_BUFFER_BYTES = 16 << 20;
/** Events taken over in one `drain`, so that a flood cannot hold the event loop for ever. */
const EVENTS_PER_DRAIN = 100_000;

/**
 * Starts to watch a gateway's table. Open it before traffic: entries that exist by then get no `new` event.
 * Sets `net.netfilter.nf_conntrack_timestamp` in the gateway's namespace, so that entries know their own times.
 */
export function watchConntrack(host: Pick<Host, 'name' | 'netns'>, clock: RunClock): ConntrackWatch {
  const exactTimes = enableTimestamps(host.netns);
  const events = openNetlink(host.netns, C.NETLINK_NETFILTER, WHAT);
  widenReceiveBuffer(events, RECEIVE_BUFFER_BYTES);
  // Refused, it costs time and nothing else: the messages that it would have kept away are passed over one by one.
  attachFilter(events.fd, CONNTRACK_FILTER);
  joinGroup(events, NFNLGRP_CONNTRACK_NEW, WHAT);
  joinGroup(events, NFNLGRP_CONNTRACK_UPDATE, WHAT);
  joinGroup(events, NFNLGRP_CONNTRACK_DESTROY, WHAT);
  const table = openNetlink(host.netns, C.NETLINK_NETFILTER, WHAT);
  const tableRequest = dumpRequest(messageType(IPCTNL_MSG_CT_GET), Uint8Array.of(C.AF_INET, 0, 0, 0));

  const toRunTime = fromHalves(clock);
  const ports = portsInUse(reusesFinishedPorts(release()));
  const entry = newEntry();
  let columns = newColumns(CONNTRACK_SHAPE, 4096);
  let length = 0;
  let overruns = 0;
  let drainedAtNs = 0;

  const timeAt = (at: number) => toRunTime(events.view.getUint32(at), events.view.getUint32(at + 4));

  function record(type: (typeof EntryEvent)[keyof typeof EntryEvent]): number {
    if (length === columns.timeNs.length) columns = doubled(CONNTRACK_SHAPE, columns);
    const row = length++;
    const stamp = entry.eventAt >= 0 ? entry.eventAt : type === EntryEvent.new ? entry.startAt : entry.stopAt;
    columns.timeNs[row] = stamp >= 0 ? timeAt(stamp) : drainedAtNs;
    columns.type[row] = type;
    columns.source[row] = entry.source;
    columns.sourcePort[row] = entry.sourcePort;
    columns.destination[row] = entry.destination;
    columns.destinationPort[row] = entry.destinationPort;
    columns.translated[row] = entry.translated;
    columns.translatedPort[row] = entry.translatedPort;
    columns.state[row] = entry.state;
    return row;
  }

  function onEvent(message: number, at: number, end: number): void {
    if (!parseEntry(events.view, at, end, entry)) return;
    if (message === messageType(IPCTNL_MSG_CT_DELETE)) {
      record(EntryEvent.destroy);
      const born = ports.remove(entry);
      // Kernels before 6.14 tell the moment of birth only with the entry's death.
      if (born !== undefined && born >= 0 && entry.startAt >= 0) columns.timeNs[born] = timeAt(entry.startAt);
    } else if (message === messageType(IPCTNL_MSG_CT_NEW)) {
      // A new entry and a changed one differ in this flag alone.
      if ((events.view.getUint16(at - HEADER_BYTES + 6, true) & NLM_F_CREATE) !== 0)
        ports.add(entry, record(EntryEvent.new));
      else if (isFinished(entry)) ports.finish(entry);
    }
  }

  function loadTable(): number {
    let entries = 0;
    ports.clear();
    dump(table, tableRequest, WHAT, (_type, at, end) => {
      if (!parseEntry(table.view, at, end, entry)) return;
      entries++;
      ports.add(entry, -1);
    });
    return entries;
  }

  function drain(): void {
    drainedAtNs = nowSinceStart(clock);
    let lost = false;
    for (let taken = 0; taken < EVENTS_PER_DRAIN; taken++) {
      const received = recv(events.fd, events.buffer, events.buffer.length, C.MSG_DONTWAIT);
      if (received >= 0) walkMessages(events.view, received, onEvent);
      else if (errno() === C.ENOBUFS) {
        overruns++;
        lost = true;
      } else break;
    }
    // Ports must not drift because events were lost: start again from the table itself.
    if (lost) loadTable();
  }

  // The walk costs by the size of the machine's table, not by its filling: not made when there is nothing to find.
  const entriesAtStart = readConntrackFill(host.netns)?.count === 0 ? 0 : loadTable();
  return {
    drain,
    ports,
    entriesAtStart,
    exactTimes,
    countStates() {
      const counts: Record<string, number> = {};
      dump(table, tableRequest, WHAT, (_type, at, end) => {
        if (!parseEntry(table.view, at, end, entry)) return;
        const state = stateName(entry.state) ?? 'NONE';
        counts[state] = (counts[state] ?? 0) + 1;
      });
      return counts;
    },
    close() {
      drain();
      close(events.fd);
      close(table.fd);
      return conntrackLog(host.name, columns, length, overruns);
    },
  };
}

function enableTimestamps(netns: string | null): boolean {
  try {
    inNamespace(netns, () => writeFileSync('/proc/sys/net/netfilter/nf_conntrack_timestamp', '1'));
    return true;
  } catch {
    // A kernel without CONFIG_NF_CONNTRACK_TIMESTAMP: events still come, with the time of reading.
    return false;
  }
}
