/** One trial of one variant: build the chain, start it, drive it, observe it, and settle its ledger. */
import { type AttackReport, mergeReports } from '../attacks/report.js';
import { groupBy } from '../collections.js';
import { testbedError } from '../errors.js';
import { keepLedger, type Ledger } from '../ledger/ledger.js';
import { readAttack } from '../nodes/attacker.js';
import type { LogReading, RunningNode } from '../nodes/kind.js';
import { kindOf } from '../nodes/registry.js';
import { readTickets } from '../nodes/ticket-shop.js';
import { runClock, startedAtMs } from '../observe/clock.js';
import type { ChainEvent, Observations } from '../observe/observations.js';
import { startObserving } from '../observe/observe.js';
import type { ScenarioVariant } from '../scenario/scenario.js';
import type { Testbed } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { Engine, GeneratorReport, PreparedTraffic, TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { makeTrafficPlan } from '../traffic/traffic-plan.js';
import { startTimeline } from './events.js';

/** Time between the last preparation and the first planned arrival: opening the taps takes some of it, ns. */
const HEAD_START_NS = 200_000_000n;

export interface TrialSettings {
  variant: ScenarioVariant;
  plan: Plan;
  engine: Engine;
  seed: number;
  idPrefix: string;
  build(plan: Plan): Promise<Testbed>;
  /** Where sockets and state that the hosts of a node share are kept. */
  sharedDir(node: string): string;
  /** Called with the phase that begins; `under way` comes with the outcomes that fill up. */
  onProgress(progress: TrialProgress): void;
  /** Called once the start is fixed: whoever keeps the record may read the outcomes from then on. */
  onBegin(begun: { traffic: TrafficPlan; outcomes: Outcomes; startedAtMs: number }): void;
  /** Aborted: send nothing more, settle what there is. */
  interrupt: AbortSignal;
  /** Called when an event has been carried out, or has failed. */
  onEvent(event: ChainEvent): void;
  /** Keep the testbed until the user says so (`--keep`). */
  keep?: (testbed: Testbed) => Promise<void>;
}

export type TrialProgress =
  | { phase: 'building' }
  | { phase: 'starting' }
  | { phase: 'under way'; outcomes: Outcomes; lastArrivalNs: number }
  | { phase: 'settling' };

export interface TrialResult {
  traffic: TrafficPlan;
  outcomes: Outcomes;
  observations: Observations;
  ledger: Ledger;
  generator: GeneratorReport;
  tickets: { stock: number; sold: number } | undefined;
  /** What each attacker did, by node; empty where there is none. */
  attackers: Record<string, AttackReport>;
  /** What makes the evidence incomplete, in words. */
  problems: string[];
  /** What a reader should know and that does not make the numbers wrong. */
  remarks: string[];
}

export async function runTrial(settings: TrialSettings): Promise<TrialResult> {
  const { plan, variant, onProgress } = settings;
  onProgress({ phase: 'building' });
  const testbed = await settings.build(plan);
  let preparing: Promise<PreparedTraffic> | undefined;
  const running = new Map<string, RunningNode>();
  try {
    onProgress({ phase: 'starting' });
    const traffic = makeTrafficPlan(variant, plan, testbed.hosts, { seed: settings.seed, idPrefix: settings.idPrefix });
    preparing = settings.engine.prepare(traffic);
    // If a node fails to start first, the engine's own failure must not end the process unhandled.
    preparing.catch(() => {});
    await startNodes(testbed, settings, running);
    return await drive(testbed, settings, traffic, await preparing, running);
  } finally {
    await preparing?.then(
      (prepared) => prepared.close(),
      () => {},
    );
    await testbed.down();
  }
}

/** Starts the chain from its end, so that every backend listens before the hop in front of it looks for it. */
async function startNodes(testbed: Testbed, settings: TrialSettings, running: Map<string, RunningNode>): Promise<void> {
  const { plan } = settings;
  const toOf = new Map(plan.hosts.map(({ node, spec }) => [node, spec.to]));
  const depth = (node: string): number => {
    const to = toOf.get(node);
    return to === undefined ? 0 : 1 + depth(to);
  };
  const byDepth = groupBy(plan.hosts, ({ node }) => depth(node));
  const start = async (planned: PlannedHost) => {
    const started = await startNode(testbed, settings, planned);
    if (started !== undefined) running.set(planned.name, started);
  };
  for (const [, hosts] of [...byDepth].sort(([a], [b]) => a - b)) await Promise.all(hosts.map(start));
}

/** Starts the node of one host; undefined where the kind has nothing to start. */
async function startNode(
  testbed: Testbed,
  { plan, variant, sharedDir }: TrialSettings,
  planned: PlannedHost,
): Promise<RunningNode | undefined> {
  return kindOf(planned.spec.kind).start?.({
    host: testbed.hosts.get(planned.name)!,
    planned,
    spec: planned.spec,
    plan,
    listen: plan.listeners[planned.name],
    backends: plan.targets[planned.name] ?? [],
    sources: plan.sources[planned.name] ?? [],
    userConfig: variant.configs[planned.node],
    sharedDir: sharedDir(planned.node),
  });
}

async function drive(
  testbed: Testbed,
  settings: TrialSettings,
  traffic: TrafficPlan,
  prepared: PreparedTraffic,
  running: Map<string, RunningNode>,
): Promise<TrialResult> {
  const { outcomes } = prepared;
  const startNs = process.hrtime.bigint() + HEAD_START_NS;
  const clock = runClock(startNs);
  const processes = processIds(settings.plan, running);
  const observer = await startObserving(testbed, { clock, outcomes, processes });
  settings.onBegin({ traffic, outcomes, startedAtMs: startedAtMs(clock) });
  const timeline = startTimeline(settings.variant.events, {
    testbed,
    running,
    startNs,
    start: (planned) => startNode(testbed, settings, planned),
    onEvent(event) {
      // The sampler follows the processes that there are now.
      for (const [node, ids] of Object.entries(processIds(settings.plan, running)))
        processes[node].splice(0, Infinity, ...ids);
      settings.onEvent(event);
    },
  });
  const stop = () => prepared.stop();
  settings.interrupt.addEventListener('abort', stop);
  let generator: GeneratorReport;
  try {
    settings.onProgress({ phase: 'under way', outcomes, lastArrivalNs: traffic.arrivalsNs.at(-1) ?? 0 });
    const sending = prepared.run(startNs);
    if (settings.interrupt.aborted) prepared.stop();
    generator = await sending;
  } catch (error) {
    // The taps' descriptors would keep the hosts' namespaces alive.
    await Promise.all([observer.stop(), timeline.stop()]);
    throw error;
  } finally {
    settings.interrupt.removeEventListener('abort', stop);
  }
  settings.onProgress({ phase: 'settling' });
  const events = await timeline.stop();
  const died = [...running]
    .filter(([name]) => !timeline.killed.has(name))
    .filter(([, node]) => node.processes.some((daemon) => !daemon.running))
    .map(([name]) => name);
  // Their victims' end would be no success of theirs.
  await Promise.all([...running.values()].filter(({ begin }) => begin !== undefined).map((node) => node.stop?.()));
  const seen = await observer.stop();
  if (settings.keep !== undefined && !settings.interrupt.aborted) await settings.keep(testbed);
  await Promise.all([...running.values()].map((node) => node.stop?.()));
  if (died.length > 0 && !settings.interrupt.aborted) {
    throw testbedError(
      `a daemon ended in the middle of the run`,
      died.join(', '),
      'see its log in the logs folder of the run',
    );
  }
  const failed = events.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined && !settings.interrupt.aborted)
    throw testbedError(`the event \`${failed.text}\` failed: ${failed.failure}`);
  const readings = await readLogs(testbed, settings.plan);
  const observations: Observations = {
    ...seen,
    sightings: groupBy(
      readings.flatMap((reading) => reading.sightings),
      ({ id }) => id,
    ),
    incidents: readings.flatMap((reading) => reading.incidents),
    events,
    startedAtMs: startedAtMs(clock),
  };
  return {
    traffic,
    outcomes,
    observations,
    ledger: keepLedger(settings.plan, traffic, outcomes, observations),
    generator,
    tickets: await soldTickets(testbed, settings.plan),
    attackers: await readAttacks(testbed, settings.plan),
    problems: holesIn(observations),
    remarks: [...running].flatMap(([name, node]) =>
      node.reducedAttribution ? [`${name}: ${node.reducedAttribution}`] : [],
    ),
  };
}

/** Process ids of each node's daemons, by node name. */
function processIds(plan: Plan, running: Map<string, RunningNode>): Record<string, number[]> {
  const byNode = groupBy(plan.hosts, ({ node }) => node);
  const idsOf = (hosts: PlannedHost[]) =>
    hosts.flatMap(({ name }) => (running.get(name)?.processes ?? []).map((daemon) => daemon.pid));
  return Object.fromEntries([...byNode].map(([node, hosts]) => [node, idsOf(hosts)]));
}

async function readLogs(testbed: Testbed, plan: Plan): Promise<LogReading[]> {
  return Promise.all(
    plan.hosts.map(async (planned) => {
      const reading = await kindOf(planned.spec.kind).readLogs?.(testbed.hosts.get(planned.name)!);
      return reading ?? { sightings: [], incidents: [] };
    }),
  );
}

async function soldTickets(testbed: Testbed, plan: Plan): Promise<{ stock: number; sold: number } | undefined> {
  const inventories = plan.hosts.filter((host) => host.kind === 'ticket-shop' && host.index === 0);
  if (inventories.length === 0) return undefined;
  const counts = await Promise.all(inventories.map((host) => readTickets(testbed.hosts.get(host.name)!)));
  return counts.reduce<{ stock: number; sold: number }>(
    (sum, count) => ({ stock: sum.stock + (count?.stock ?? 0), sold: sum.sold + (count?.sold ?? 0) }),
    { stock: 0, sold: 0 },
  );
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
