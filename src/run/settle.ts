/** What a trial has left, put together: its logs read, its ledger kept, and whatever makes the evidence incomplete. */
import { type AttackReport, mergeReports } from '../attacks/report.js';
import { groupBy } from '../collections.js';
import { testbedError } from '../errors.js';
import { type CaseFile, caseFile } from '../ledger/case-file.js';
import { type Ledger, ledgerOf } from '../ledger/ledger.js';
import { type LineFilter, lineFilter } from '../ledger/line-filter.js';
import { readAttack } from '../nodes/attacker.js';
import type { LogReading, RunningNode } from '../nodes/kind.js';
import { kindOf } from '../nodes/registry.js';
import type { ChainEvent, Observations } from '../observe/observations.js';
import type { Seen } from '../observe/observe.js';
import type { Testbed } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { GeneratorReport, TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { soldTickets } from './sold-tickets.js';

/** A trial that is over and whose testbed is gone. */
export interface TrialResult {
  traffic: TrafficPlan;
  outcomes: Outcomes;
  observations: Observations;
  ledger: Ledger;
  /** What the ledger was kept from; the ways of single requests are told from it. */
  file: CaseFile;
  generator: GeneratorReport;
  tickets: { stock: number; sold: number } | undefined;
  /** What each attacker did, by node; empty where there is none. */
  attackers: Record<string, AttackReport>;
  /** What makes the evidence incomplete, in words. */
  problems: string[];
  /** What a reader should know and that does not make the numbers wrong. */
  remarks: string[];
}

/** What is known when the sending is over and all watching has ended. */
export interface Driven {
  generator: GeneratorReport;
  events: ChainEvent[];
  /** Hosts with a daemon that had ended by itself. */
  died: string[];
  /** Unix time of the trial's start, ms. */
  startedAtMs: number;
  seen: Seen;
}

/** A trial whose nodes have been stopped, so that their logs are whole. */
export interface DrivenTrial {
  testbed: Testbed;
  plan: Plan;
  running: ReadonlyMap<string, RunningNode>;
  traffic: TrafficPlan;
  outcomes: Outcomes;
  driven: Driven;
  /** Whether the user has ended it early: what there is counts then, whatever went wrong. */
  interrupted: boolean;
}

/** Reads the logs, keeps the ledger. Throws a PortPartyError (exit 3) where a daemon ended in the middle or an event failed, unless it was interrupted. */
export async function settle({
  testbed,
  plan,
  running,
  traffic,
  outcomes,
  driven,
  interrupted,
}: DrivenTrial): Promise<TrialResult> {
  const { generator, events, died, seen } = driven;
  if (died.length > 0 && !interrupted) {
    throw testbedError(
      `a daemon ended in the middle of the run`,
      died.join(', '),
      'see its log in the logs folder of the run',
    );
  }
  const failed = events.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined && !interrupted)
    throw testbedError(`the event \`${failed.text}\` failed: ${failed.failure}`);
  const readings = await readLogs(testbed, plan, lineFilter(traffic, outcomes));
  const observations: Observations = {
    ...seen,
    sightings: groupBy(
      readings.flatMap((reading) => reading.sightings),
      ({ id }) => id,
    ),
    incidents: readings.flatMap((reading) => reading.incidents),
    events,
    startedAtMs: driven.startedAtMs,
  };
  const file = caseFile(plan, traffic, outcomes, observations);
  return {
    traffic,
    outcomes,
    observations,
    file,
    ledger: ledgerOf(file),
    generator,
    tickets: await soldTickets(testbed, plan),
    attackers: await readAttacks(testbed, plan),
    problems: holesIn(observations),
    remarks: [...running].flatMap(([name, node]) =>
      node.reducedAttribution ? [`${name}: ${node.reducedAttribution}`] : [],
    ),
  };
}

/** In the plan's order; proxies' logs are read first, for what they had trouble with is looked for in the servers' logs. */
async function readLogs(testbed: Testbed, plan: Plan, filter: LineFilter): Promise<LogReading[]> {
  const readings = new Map<PlannedHost, LogReading>();
  for (const servers of [false, true]) {
    const hosts = plan.hosts.filter(({ layer }) => (layer === 'server') === servers);
    const read = async (planned: PlannedHost) => {
      const reading = await kindOf(planned.spec.kind).readLogs?.(testbed.hosts.get(planned.name)!, filter.wants);
      if (reading !== undefined) readings.set(planned, reading);
    };
    await Promise.all(hosts.map(read));
    for (const { sightings } of readings.values()) filter.follow(sightings);
  }
  return plan.hosts.flatMap((planned) => readings.get(planned) ?? []);
}

/** The attacks by node: all of its hosts together. */
async function readAttacks(testbed: Testbed, plan: Plan): Promise<Record<string, AttackReport>> {
  const read = plan.hosts.map(async (planned) => {
    const report = await readAttack(testbed.hosts.get(planned.name)!, planned);
    return report === undefined ? [] : [{ node: planned.node, report }];
  });
  const byNode = groupBy((await Promise.all(read)).flat(), ({ node }) => node);
  return Object.fromEntries(
    [...byNode].map(([node, parts]) => [node, mergeReports(parts.map(({ report }) => report))]),
  );
}

/** Evidence that the kernel could not hand over makes attribution unsure, and the record says so. */
function holesIn(observations: Observations): string[] {
  const missed = Object.values(observations.taps).filter((tap) => tap.kernelDrops > 0);
  const never = observations.events.filter(({ outcome }) => outcome === 'never');
  const overrun = Object.values(observations.conntrack).filter((log) => log.overruns > 0);
  return [
    ...missed.map(
      (tap) =>
        `${tap.host}: the SYN tap missed ${tap.kernelDrops} packets; lower the rate or use a machine with more cores`,
    ),
    ...overrun.map(
      (log) => `${log.host}: the kernel dropped connection-table events ${log.overruns} times; lower the rate`,
    ),
    ...never.map(
      ({ text, plannedNs }) =>
        `the event \`${text}\` at ${plannedNs / 1e9} s never came: the traffic had ended before; let it come earlier, or the arrivals last longer`,
    ),
  ];
}
