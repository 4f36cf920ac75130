/** Trials made by hand for the ledger's tests: plans of a few hosts, packets at their taps, outcomes, all in ms. */
import { type CaseFile, caseFile } from '../../src/ledger/case-file.js';
import type { Sighting, UpstreamTry } from '../../src/nodes/kind.js';
import { newColumns } from '../../src/observe/columns.js';
import { CONNTRACK_SHAPE, conntrackLog, ENTRY_STATES, EntryEvent } from '../../src/observe/conntrack-table.js';
import {
  type ConntrackEvent,
  type ConntrackLog,
  type Observations,
  type TapTable,
  TcpFlag,
} from '../../src/observe/observations.js';
import { synTableOf } from '../../src/observe/syn-table.js';
import { flagsOf, isnOf, TAP_SHAPE, tapTable } from '../../src/observe/tap-table.js';
import { ipToNumber } from '../../src/sys/ip.js';
import type { Layer, Plan, PlannedHost } from '../../src/topology/plan.js';
import type { TrafficPlan } from '../../src/traffic/engine.js';
import { type Outcomes, outcomes, RequestState } from '../../src/traffic/outcomes.js';

export const MS = 1e6;
/** Unix time in ms of every hand-made run's start. */
export const STARTED_AT = 1_800_000_000_000;

export const BUYERS = '198.18.0.2';
export const EDGE = '198.18.1.1';
export const SHOP = '198.18.1.2:8080';
export const BALANCER = '198.18.0.1:80';
export const BALANCER_BACK = '198.18.1.1';
export const SHOPS = ['198.18.1.2:8080', '198.18.1.3:8080'];

interface HostSketch {
  name: string;
  kind: string;
  layer: Layer;
  addresses: string[];
  to?: string;
  loss?: number;
}

function planned({ name, kind, layer, addresses, to, loss }: HostSketch): PlannedHost {
  const [, node, index = '0'] = /^([^[]+)(?:\[(\d+)\])?$/.exec(name)!;
  return {
    name,
    node,
    index: Number(index),
    kind,
    layer,
    spec: { kind, to, link: loss === undefined ? undefined : { loss } } as unknown as PlannedHost['spec'],
    interfaces: addresses.map((address, i) => ({
      name: `back${i}`,
      segment: '',
      addresses: [address],
      prefixLength: 24,
    })),
    routes: [],
    sysctls: [],
  };
}

function endpoint(host: string, text: string) {
  const [address, port] = text.split(':');
  return { host, address, port: Number(port) };
}

/** buyers -> edge (NAT) -> shop. `loss` is set on the links of the hosts that it names. */
export function behindGateway(loss: ('buyers' | 'edge')[] = []): Plan {
  const lossOf = (name: 'buyers' | 'edge') => (loss.includes(name) ? 0.1 : undefined);
  return {
    hosts: [
      { name: 'buyers', kind: 'client', layer: 'client', addresses: [BUYERS], to: 'edge', loss: lossOf('buyers') },
      { name: 'edge', kind: 'nat', layer: 'L3', addresses: ['198.18.0.1', EDGE], to: 'shop', loss: lossOf('edge') },
      { name: 'shop', kind: 'fixed', layer: 'server', addresses: ['198.18.1.2'] },
    ].map((sketch) => planned(sketch as HostSketch)),
    segments: [],
    targets: { buyers: [endpoint('shop', SHOP)] },
    listeners: {},
    sources: {},
  };
}

/** buyers -> balancer (NGINX) -> shop[0], shop[1]. */
export function behindProxy(): Plan {
  const shops = SHOPS.map((address, index) => endpoint(`shop[${index}]`, address));
  return {
    hosts: [
      planned({ name: 'buyers', kind: 'client', layer: 'client', addresses: [BUYERS], to: 'balancer' }),
      planned({
        name: 'balancer',
        kind: 'nginx',
        layer: 'L7',
        addresses: ['198.18.0.1', BALANCER_BACK],
        to: 'shop',
      }),
      ...shops.map(({ host, address }) =>
        planned({ name: host, kind: 'ticket-shop', layer: 'server', addresses: [address] }),
      ),
    ],
    segments: [],
    targets: { buyers: [endpoint('balancer', BALANCER)], balancer: shops },
    listeners: {},
    sources: {},
  };
}

/** A segment as a tap sees it. Numbers behind `isn` are made from it as TCP does. */
export interface Packet {
  ms: number;
  way: 'in' | 'out';
  from: string;
  to: string;
  /** `refusal` is the RST that answers a SYN, `abort` the RST of a sender who knows nothing of the connection. */
  kind: 'syn' | 'syn-ack' | 'refusal' | 'abort';
  isn: number;
}

/** A tap's table of these packets. */
export function tapOf(host: string, packets: Packet[], kernelDrops = 0): TapTable {
  const flags = {
    syn: TcpFlag.syn,
    'syn-ack': TcpFlag.syn | TcpFlag.ack,
    refusal: TcpFlag.rst | TcpFlag.ack,
    abort: TcpFlag.rst,
  };
  const columns = newColumns(TAP_SHAPE, packets.length);
  packets.forEach(({ ms, way, from, to, kind, isn }, row) => {
    const sequence = kind === 'syn' ? isn : isn + 77;
    const acknowledgement = kind === 'syn-ack' || kind === 'refusal' ? (isn + 1) >>> 0 : 0;
    columns.timeNs[row] = Math.round(ms * MS);
    columns.source[row] = ipToNumber(from.split(':')[0]);
    columns.sourcePort[row] = Number(from.split(':')[1]);
    columns.destination[row] = ipToNumber(to.split(':')[0]);
    columns.destinationPort[row] = Number(to.split(':')[1]);
    columns.isn[row] = isnOf(flags[kind], sequence, acknowledgement);
    columns.flags[row] = flagsOf(flags[kind], way === 'out');
  });
  return tapTable(host, columns, packets.length, kernelDrops);
}

/** A conntrack event of the gateway for a connection from `BUYERS:port`. */
export function tableEvent(ms: number, type: 'new' | 'destroy', port: number, as: number): ConntrackEvent {
  return {
    timeNs: ms * MS,
    type,
    source: `${BUYERS}:${port}`,
    destination: SHOP,
    translated: `${EDGE}:${as}`,
    state: 'ESTABLISHED',
  };
}

/** A gateway's log of these events, as its observer gives it. */
function tableLog(host: string, events: ConntrackEvent[], overruns: number): ConntrackLog {
  const columns = newColumns(CONNTRACK_SHAPE, events.length);
  events.forEach((event, row) => {
    columns.timeNs[row] = event.timeNs;
    columns.type[row] = EntryEvent[event.type];
    columns.state[row] = (ENTRY_STATES as readonly unknown[]).indexOf(event.state);
    for (const end of ['source', 'destination', 'translated'] as const) {
      const [address, port] = event[end].split(':');
      columns[end][row] = ipToNumber(address);
      columns[`${end}Port`][row] = Number(port);
    }
  });
  return conntrackLog(host, columns, events.length, overruns);
}

/** A try of the balancer that ended `ms` after the start. */
export function upstreamTry(ms: number, result: UpstreamTry['result'], to: string | undefined = SHOPS[0]): UpstreamTry {
  return { to, result, endedAt: STARTED_AT + ms, evidence: `try: ${result}` };
}

/** What `host` logged of request `id`, from `fromMs` to `toMs`. */
export function sighting(
  host: string,
  id: string,
  [fromMs, toMs]: [number, number],
  changes: Partial<Sighting> = {},
): Sighting {
  return {
    id,
    host,
    startedAt: STARTED_AT + fromMs,
    endedAt: STARTED_AT + toMs,
    status: 502,
    peer: `${BUYERS}:30000`,
    tries: [],
    evidence: `log of ${id}`,
    ...changes,
  };
}

/** The columns of one row; times in ms. */
export interface Row {
  state: 'completed' | 'dropped';
  error?: number;
  errno?: number;
  status?: number;
  connect?: number;
  connected?: number;
  done: number;
  connection?: number;
  localPort?: number;
  synRetransmits?: number;
}

/** Outcomes of one visitor per list, a row per step. */
export function outcomesOf(visitors: Row[][]): Outcomes {
  const steps = Math.max(...visitors.map((rows) => rows.length));
  const all = outcomes(visitors.length, steps);
  visitors.forEach((rows, visitor) => {
    rows.forEach((row, step) => {
      const at = visitor * steps + step;
      const started = row.connect ?? row.done - 1;
      for (const column of [all.dueNs, all.sentNs, all.lastTryNs]) column[at] = started * MS;
      all.connectNs[at] = (row.connect ?? Number.NaN) * MS;
      all.connectedNs[at] = (row.connected ?? Number.NaN) * MS;
      all.doneNs[at] = row.done * MS;
      all.connection[at] = row.connection ?? visitor;
      all.localPort[at] = row.localPort ?? 0;
      all.error[at] = row.error ?? 0;
      all.errno[at] = row.errno ?? 0;
      all.status[at] = row.status ?? 0;
      all.attempts[at] = 1;
      all.synRetransmits[at] = row.synRetransmits ?? 0;
      all.state[at] = RequestState[row.state];
    });
  });
  return all;
}

/** What was observed, the rest empty. Taps and sightings are sorted in by host and id. */
export function observed(
  parts: Partial<Omit<Observations, 'taps' | 'sightings' | 'conntrack' | 'forwarded'>> & {
    taps?: TapTable[];
    sightings?: Sighting[];
    forwarded?: Record<string, Set<string> | null>;
    /** Hosts whose forward set had no room for more. */
    full?: string[];
    conntrack?: Record<string, { host: string; events: ConntrackEvent[]; overruns: number }>;
  },
): Observations {
  const { taps = [], sightings = [], conntrack = {}, forwarded = {}, full = [], ...rest } = parts;
  const byId = new Map<string, Sighting[]>();
  for (const one of sightings) byId.set(one.id, [...(byId.get(one.id) ?? []), one]);
  return {
    taps: Object.fromEntries(taps.map((tap) => [tap.host, tap])),
    conntrack: Object.fromEntries(
      Object.entries(conntrack).map(([name, { host, events, overruns }]) => [name, tableLog(host, events, overruns)]),
    ),
    forwarded: Object.fromEntries(
      Object.entries(forwarded).map(([host, set]) => [
        host,
        set && { ...synTableOf(set), ...(full.includes(host) && { full: true as const }) },
      ]),
    ),
    refusedSyns: {},
    counters: {},
    sightings: byId,
    incidents: [],
    pools: {},
    samples: [],
    events: [],
    startedAtMs: STARTED_AT,
    ...rest,
  };
}

/** The traffic of a plan: one client, request ids `r.<visitor>.<step>`. */
export function trafficOf(plan: Plan): TrafficPlan {
  return {
    clients: [{ host: 'buyers', netns: null, targets: plan.targets.buyers }],
    idPrefix: 'r',
  } as unknown as TrafficPlan;
}

/** A case file of what was observed, and of no request unless some are given. */
export function caseOf(plan: Plan, seen: Observations, requests = outcomes(1, 1)): CaseFile {
  return caseFile(plan, trafficOf(plan), requests, seen);
}

/** Where the store of `beforeStore` listens, and the shop's address towards it. */
export const STORE = '198.18.1.2:6379';
export const SHOP_BACK = '198.18.1.3';

/** buyers -> shop -> db (Redis). */
export function beforeStore(): Plan {
  return {
    hosts: [
      planned({ name: 'buyers', kind: 'client', layer: 'client', addresses: [BUYERS], to: 'shop' }),
      planned({ name: 'shop', kind: 'ticket-shop', layer: 'server', addresses: ['198.18.0.3', SHOP_BACK], to: 'db' }),
      planned({ name: 'db', kind: 'redis', layer: 'server', addresses: ['198.18.1.2'] }),
    ],
    segments: [],
    targets: { buyers: [endpoint('shop', '198.18.0.3:8080')], shop: [endpoint('db', STORE)] },
    listeners: {},
    sources: {},
  };
}
