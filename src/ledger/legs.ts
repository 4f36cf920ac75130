/** One connection's way over the hosts between its opener and its target, as their taps and connection tables saw it. */
import { TcpFlag } from '../observe/observations.js';
import { hasSyn } from '../observe/syn-table.js';
import { ipToNumber } from '../sys/ip.js';
import type { Bounds } from './bounds.js';
import type { CaseFile } from './case-file.js';
import type { TapIndex } from './tap-index.js';

/** What one host saw of a connection. Times are ms since the trial's start; a list has one time per copy, absent when there is none. */
export interface Hop {
  host: string;
  /** Source and destination of the SYN as it came in; absent at the opener. */
  in?: [source: string, destination: string];
  /** … and as it went out: other than `in` where the host translates; absent where it never left and at the target. */
  out?: [source: string, destination: string];
  synIn?: number[];
  synOut?: number[];
  /** SYN+ACKs, from the target to the opener. */
  answerIn?: number[];
  answerOut?: number[];
  /** RSTs, with the way that they went: `forth` is from the opener to the target. */
  resets?: [ms: number, way: 'in' | 'out', direction: 'forth' | 'back'][];
  /** At a gateway: whether the SYN reached its forward chain; absent where that is not known. */
  forwarded?: boolean;
  /** What the gateway's connection table noted: the source as the target sees it, and the TCP state where the kernel tells it. */
  table?: [ms: number, type: 'new' | 'destroy', as: string, state?: string][];
}

/** A connection's way; it ends with the last host that saw its SYN. */
export interface Leg {
  /** Initial sequence number: the same on every host. */
  isn: number;
  /** The host that opened it, and the one that it was meant for. */
  from: string;
  to: string;
  hops: Hop[];
}

/** A connection by its SYN, and the time in which it is looked for, ns since the run's start. */
export interface OpenedConnection {
  host: string;
  target: string;
  sequence: number;
  fromNs: number;
  toNs: number;
}

/** A log time or a time-out lies at most this far from the packet that belongs to it. */
const SLACK_NS = 5e6;
/** Copies of a segment that are kept; a kernel gives up before. */
const MOST_COPIES = 16;

/** Milliseconds with the microsecond as last digit. */
export const toMs = (ns: number) => Math.round(ns / 1000) / 1000;

/** Follows a connection from its opener on; undefined where the opener's tap has no such SYN. */
export function legOf(file: CaseFile, { host, target, sequence, fromNs, toNs }: OpenedConnection): Leg | undefined {
  const window = { fromNs: fromNs - SLACK_NS, toNs: toNs + SLACK_NS };
  const first = hopAt(file, host, sequence, window);
  if (first?.synOut === undefined) return undefined;
  const hops = [first];
  for (const group of file.gatewaysFrom(host)) {
    const seen = group.flatMap(({ name }) => hopAt(file, name, sequence, window) ?? []);
    if (seen.length === 0) return { isn: sequence, from: host, to: target, hops };
    for (const hop of seen) {
      addTables(file, hop, sequence, window);
      hops.push(hop);
    }
  }
  const last = hopAt(file, target, sequence, window);
  if (last !== undefined) hops.push(last);
  return { isn: sequence, from: host, to: target, hops };
}

function hopAt(file: CaseFile, host: string, sequence: number, window: Bounds): Hop | undefined {
  const tap = file.tap(host);
  if (tap === undefined) return undefined;
  const { synIn, synOut, answerIn, answerOut } = tap.handshake(sequence, window);
  if (synIn.length === 0 && synOut.length === 0) return undefined;
  const times = (rows: number[]) => rows.slice(0, MOST_COPIES).map((row) => toMs(tap.timeNs(row)));
  // Field by field: there are hundreds of thousands of hops.
  const hop: Hop = { host };
  if (synIn.length > 0) hop.in = [tap.source(synIn[0]), tap.destination(synIn[0])];
  if (synOut.length > 0) hop.out = [tap.source(synOut[0]), tap.destination(synOut[0])];
  if (synIn.length > 0) hop.synIn = times(synIn);
  if (synOut.length > 0) hop.synOut = times(synOut);
  if (answerIn.length > 0) hop.answerIn = times(answerIn);
  if (answerOut.length > 0) hop.answerOut = times(answerOut);
  const resets = resetsOf(tap, synIn.at(0), synOut.at(0), window);
  if (resets.length > 0) hop.resets = resets;
  return hop;
}

/** RSTs of this connection on either side of a host. */
function resetsOf(
  tap: TapIndex,
  incoming: number | undefined,
  outgoing: number | undefined,
  { toNs }: Bounds,
): NonNullable<Hop['resets']> {
  const found: NonNullable<Hop['resets']> = [];
  const { addresses, source, sourcePort, destination, destinationPort } = tap.table;
  const add = (syn: number | undefined, way: 'in' | 'out', direction: 'forth' | 'back') => {
    if (syn === undefined) return;
    // A port that is used again has RSTs of earlier connections: only what followed this one's SYN is its own.
    const filter = { fromNs: tap.timeNs(syn), toNs, outgoing: way === 'out' };
    const [from, fromPort] = [addresses[source[syn]], sourcePort[syn]];
    const [to, toPort] = [addresses[destination[syn]], destinationPort[syn]];
    const rows =
      direction === 'forth'
        ? tap.between(from, fromPort, to, toPort, TcpFlag.rst, filter)
        : tap.between(to, toPort, from, fromPort, TcpFlag.rst, filter);
    for (const row of rows.slice(0, MOST_COPIES)) found.push([toMs(tap.timeNs(row)), way, direction]);
  };
  add(incoming, 'in', 'forth');
  add(incoming, 'out', 'back');
  add(outgoing, 'out', 'forth');
  add(outgoing, 'in', 'back');
  return found.sort(([a], [b]) => a - b);
}

/** Adds what a gateway's forward chain and its connection table have noted of a hop. */
function addTables(file: CaseFile, hop: Hop, sequence: number, window: Bounds): void {
  if (hop.in === undefined) return;
  const [source, destination] = hop.in;
  const forwarded = file.observations.forwarded[hop.host];
  const reached = forwarded && hasSyn(forwarded, ipToNumber(source.slice(0, source.indexOf(':'))), sequence);
  if (typeof reached === 'boolean') hop.forwarded = reached;
  const table: NonNullable<Hop['table']> = [];
  for (const event of file.tableEvents(hop.host, source, window)) {
    const { timeNs, type, translated, state } = event;
    if (event.destination !== destination) continue;
    table.push(state === undefined ? [toMs(timeNs), type, translated] : [toMs(timeNs), type, translated, state]);
  }
  if (table.length > 0) hop.table = table;
}

/** The SYN, seen at `host` from that `address:port`, that opened the connection on which a request had come by `beforeNs`. */
export function synFromPeer(
  file: CaseFile,
  host: string,
  peer: string,
  to: string,
  beforeNs: number,
): { sequence: number; timeNs: number } | undefined {
  const tap = file.tap(host);
  if (tap === undefined) return undefined;
  const [[address, port], [toAddress, toPort]] = [peer.split(':'), to.split(':')];
  const row = tap
    .between(ipToNumber(address), Number(port), ipToNumber(toAddress), Number(toPort), TcpFlag.syn, {
      toNs: beforeNs + SLACK_NS,
    })
    .at(-1);
  return row === undefined ? undefined : { sequence: tap.table.isn[row], timeNs: tap.timeNs(row) };
}

/** The fields that have a value. */
export function defined<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
