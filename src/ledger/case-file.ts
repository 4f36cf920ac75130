/** All that is known of one trial, indexed for questions about single connections: the ledger's working table. */
import { groupBy } from '../collections.js';
import type { Incident, Sighting } from '../nodes/kind.js';
import type { CounterDeltas, Observations } from '../observe/observations.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { type TapIndex, tapIndex } from './tap-index.js';

export interface CaseFile {
  plan: Plan;
  traffic: TrafficPlan;
  outcomes: Outcomes;
  observations: Observations;
  /** The planned host of that name. */
  host(name: string): PlannedHost;
  /** The tap of that host; undefined where none could be opened. */
  tap(hostName: string): TapIndex | undefined;
  /** The L3 nodes, in order, that packets cross from this host to where its connections go. */
  gatewaysFrom(hostName: string): PlannedHost[][];
  /** What a host's own log says of a request's try. */
  sighting(id: string, hostName: string): Sighting | undefined;
  /** Everything that this host's log says of failed tries, by time. */
  sightingsAt(hostName: string): Sighting[];
  /** A host's first log line of trouble around a time, ns since the run's start. */
  incident(hostName: string, fromNs: number, toNs: number): Incident | undefined;
  counters(hostName: string): CounterDeltas;
  /** A log's Unix time in ms as ns since the run's start. */
  fromUnixMs(ms: number): number;
}

/** A log line and the packets that belong to it lie at most this far apart: logs are written late, in whole seconds by some. */
const INCIDENT_SLACK_NS = 1.5e9;

export function caseFile(plan: Plan, traffic: TrafficPlan, outcomes: Outcomes, observations: Observations): CaseFile {
  const hosts = new Map(plan.hosts.map((host) => [host.name, host]));
  const byNode = groupBy(plan.hosts, (host) => host.node);
  const taps = new Map<string, TapIndex>();
  let sightingsByHost: Map<string, Sighting[]> | undefined;

  function host(name: string): PlannedHost {
    const found = hosts.get(name);
    if (found === undefined) throw new Error(`no host ${name} in the plan`);
    return found;
  }

  const fromUnixMs = (ms: number) => (ms - observations.startedAtMs) * 1e6;

  return {
    plan,
    traffic,
    outcomes,
    observations,
    host,
    tap(hostName) {
      const table = observations.taps[hostName];
      if (table === undefined) return undefined;
      let index = taps.get(hostName);
      if (index === undefined) {
        index = tapIndex(table);
        taps.set(hostName, index);
      }
      return index;
    },
    gatewaysFrom(hostName) {
      const crossed: PlannedHost[][] = [];
      let next = host(hostName).spec.to;
      while (next !== undefined) {
        const group = byNode.get(next);
        if (group === undefined || group[0].layer !== 'L3') break;
        crossed.push(group);
        next = group[0].spec.to;
      }
      return crossed;
    },
    sighting: (id, hostName) => observations.sightings.get(id)?.find((sighting) => sighting.host === hostName),
    sightingsAt(hostName) {
      sightingsByHost ??= groupBy([...observations.sightings.values()].flat(), (sighting) => sighting.host);
      return sightingsByHost.get(hostName) ?? [];
    },
    incident: (hostName, fromNs, toNs) =>
      observations.incidents.find(({ host, at }) => {
        const ns = fromUnixMs(at);
        return host === hostName && ns >= fromNs - INCIDENT_SLACK_NS && ns <= toNs + INCIDENT_SLACK_NS;
      }),
    counters: (hostName) => observations.counters[hostName] ?? {},
    fromUnixMs,
  };
}
