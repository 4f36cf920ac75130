/** All that is known of one trial, indexed for questions about single connections: the ledger's working table. */
import { groupBy } from '../collections.js';
import type { Incident, Sighting } from '../nodes/kind.js';
import type { ConntrackEvent, CounterDeltas, Observations } from '../observe/observations.js';
import { ipToNumber } from '../sys/ip.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import type { Bounds } from './bounds.js';
import { type ConntrackIndex, conntrackIndex } from './conntrack-index.js';
import { expectedSyns } from './expected-syns.js';
import type { RoughSet } from './rough-set.js';
import { bucketOf, NO_KEY, type RowIndex, rowIndex } from './row-index.js';
import { type TapIndex, tapIndex } from './tap-index.js';
import { unloggedSightings } from './unlogged.js';
import { type UpstreamIndex, upstreamIndex } from './upstream-index.js';

/** The questions that the ledger asks; each index behind them is built when it is first asked for. Times are ns since the run's start. */
export interface CaseFile {
  plan: Plan;
  traffic: TrafficPlan;
  outcomes: Outcomes;
  observations: Observations;
  /** The planned host of that name. */
  host(name: string): PlannedHost;
  /** All addresses of that host, as numbers. */
  addresses(hostName: string): number[];
  /** The tap of that host; undefined where none could be opened. */
  tap(hostName: string): TapIndex | undefined;
  /** The L3 nodes, in order, that packets cross from this host to where its connections go. */
  gatewaysFrom(hostName: string): PlannedHost[][];
  /** What a host's own log says of a request's try. */
  logged(id: string, hostName: string): Sighting | undefined;
  /** All that a host's own log says of requests. */
  sightingsAt(hostName: string): Sighting[];
  /** What a host's own log says of a request's try, or what it would have said (`unlogged.ts`). */
  sighting(id: string, hostName: string): Sighting | undefined;
  /** A proxy's failed tries and SYNs, by time. */
  upstream(hostName: string): UpstreamIndex;
  /** What a gateway's connection table noted of connections from that `address:port`, in that time where one is given; by time. */
  tableEvents(gateway: string, source: string, bounds?: Bounds): ConntrackEvent[];
  /** Entries that the gateway dropped although their connection to that `address:port` had not been closed, by time. */
  forgotten(gateway: string, destination: string): ConntrackEvent[];
  /** Row of the request that opened this connection. */
  openingRow(connection: number): number | undefined;
  /** A host's first log line of trouble around a time, ns since the run's start. */
  incident(hostName: string, fromNs: number, toNs: number): Incident | undefined;
  /** Kernel counters of that host over the trial; empty where none were read. */
  counters(hostName: string): CounterDeltas;
  /** An equal text, the same one for all: verdicts by the ten thousand say the same. */
  shared(text: string): string;
  /** A log's Unix time in ms as ns since the run's start. */
  fromUnixMs(ms: number): number;
  /** The other way round. */
  toUnixMs(ns: number): number;
}

/** A log line and the packets that belong to it lie at most this far apart: logs are written late, in whole seconds by some. */
const INCIDENT_SLACK_NS = 1.5e9;

/** Lays the plan, what was sent and what was observed together; nothing is indexed yet. */
export function caseFile(plan: Plan, traffic: TrafficPlan, outcomes: Outcomes, observations: Observations): CaseFile {
  const hosts = new Map(plan.hosts.map((host) => [host.name, host]));
  const byNode = groupBy(plan.hosts, (host) => host.node);
  const texts = new Map<string, string>();
  const addresses = new Map<string, number[]>();
  const gateways = new Map<string, PlannedHost[][]>();
  const taps = new Map<string, TapIndex>();
  const upstreams = new Map<string, UpstreamIndex>();
  const tables = new Map<string, ConntrackIndex>();
  let sightingsByHost: Map<string, Sighting[]> | undefined;
  let incidentsByHost: Map<string, Incident[]> | undefined;
  let unlogged: Map<string, Sighting> | undefined;
  let openers: RowIndex | undefined;
  let syns: RoughSet | undefined;

  function host(name: string): PlannedHost {
    const found = hosts.get(name);
    if (found === undefined) throw new Error(`no host ${name} in the plan`);
    return found;
  }

  const fromUnixMs = (ms: number) => (ms - observations.startedAtMs) * 1e6;

  function gatewaysFrom(hostName: string): PlannedHost[][] {
    const crossed: PlannedHost[][] = [];
    let next = host(hostName).spec.to;
    while (next !== undefined) {
      const group = byNode.get(next);
      if (group === undefined || group[0].layer !== 'L3') break;
      crossed.push(group);
      next = group[0].spec.to;
    }
    return crossed;
  }

  function tap(hostName: string): TapIndex | undefined {
    const table = observations.taps[hostName];
    return table && once(taps, hostName, () => tapIndex(table, expected));
  }

  function openingRow(connection: number): number | undefined {
    openers ??= openingRows(outcomes);
    return firstWith(outcomes, openers, connection);
  }

  function expected(): RoughSet {
    syns ??= expectedSyns(traffic, outcomes, openingRow, (hostName) => observations.taps[hostName]);
    return syns;
  }

  function table(gateway: string): ConntrackIndex | undefined {
    const log = observations.conntrack[gateway];
    return log && once(tables, gateway, () => conntrackIndex(log));
  }

  function sightingsAt(hostName: string): Sighting[] {
    sightingsByHost ??= groupBy([...observations.sightings.values()].flat(), (sighting) => sighting.host);
    return sightingsByHost.get(hostName) ?? [];
  }

  const file: CaseFile = {
    plan,
    traffic,
    outcomes,
    observations,
    host,
    addresses: (hostName) =>
      once(addresses, hostName, () =>
        host(hostName).interfaces.flatMap((attached) => attached.addresses.map(ipToNumber)),
      ),
    tap,
    gatewaysFrom: (hostName) => once(gateways, hostName, () => gatewaysFrom(hostName)),
    logged: (id, hostName) => observations.sightings.get(id)?.find((sighting) => sighting.host === hostName),
    sightingsAt,
    sighting(id, hostName) {
      const logged = file.logged(id, hostName);
      if (logged !== undefined) return logged;
      unlogged ??= unloggedSightings(file);
      const sighting = unlogged.get(id);
      return sighting?.host === hostName ? sighting : undefined;
    },
    upstream: (hostName) => once(upstreams, hostName, () => upstreamIndex(() => sightingsAt(hostName), tap(hostName))),
    tableEvents: (gateway, source, bounds) => table(gateway)?.from(source, bounds) ?? [],
    forgotten: (gateway, destination) => table(gateway)?.forgotten(destination) ?? [],
    openingRow,
    incident(hostName, fromNs, toNs) {
      incidentsByHost ??= groupBy(observations.incidents, ({ host }) => host);
      return incidentsByHost.get(hostName)?.find(({ at }) => {
        const ns = fromUnixMs(at);
        return ns >= fromNs - INCIDENT_SLACK_NS && ns <= toNs + INCIDENT_SLACK_NS;
      });
    },
    shared: (text) => once(texts, text, () => text),
    counters: (hostName) => observations.counters[hostName] ?? {},
    fromUnixMs,
    toUnixMs: (ns) => ns / 1e6 + observations.startedAtMs,
  };
  return file;
}

/** What is under this key, made when it is first asked for. */
function once<Value>(made: Map<string, Value>, key: string, make: () => Value): Value {
  let value = made.get(key);
  if (value === undefined) {
    value = make();
    made.set(key, value);
  }
  return value;
}

/** Rows by the connection that they called connect() for. */
function openingRows({ rows, connection, connectNs }: Outcomes): RowIndex {
  return rowIndex(rows, (row) => (connection[row] >= 0 && !Number.isNaN(connectNs[row]) ? connection[row] : NO_KEY));
}

function firstWith({ connection }: Outcomes, openers: RowIndex, wanted: number): number | undefined {
  const [from, to] = bucketOf(openers, wanted);
  for (let at = from; at < to; at++) if (connection[openers.rows[at]] === wanted) return openers.rows[at];
  return undefined;
}
