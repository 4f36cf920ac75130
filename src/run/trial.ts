/** One trial of one variant: build the chain, start it, drive it, observe it, and settle its ledger. */
import { type AttackReport, mergeReports } from '../attacks/report.js';
import { groupBy } from '../collections.js';
import { testbedError } from '../errors.js';
import { type CaseFile, caseFile } from '../ledger/case-file.js';
import { type Ledger, ledgerOf } from '../ledger/ledger.js';
import { readAttack } from '../nodes/attacker.js';
import type { LogReading, RunningNode } from '../nodes/kind.js';
import { kindOf } from '../nodes/registry.js';
import { startUserImage } from '../nodes/user-image.js';
import { startedAtMs } from '../observe/clock.js';
import type { ChainEvent, Observations } from '../observe/observations.js';
import { startObserving } from '../observe/observe.js';
import { thenEnd } from '../promises.js';
import type { ScenarioVariant } from '../scenario/scenario.js';
import type { Testbed } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { Engine, GeneratorReport, PreparedTraffic, TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { makeTrafficPlan } from '../traffic/traffic-plan.js';
import { startTimeline } from './events.js';
import { type Site, siteOf } from './site.js';
import { soldTickets } from './sold-tickets.js';

/** What a trial needs. `seed` decides the arrivals; ids of requests begin with `idPrefix`. */
export interface TrialSettings {
  variant: ScenarioVariant;
  plan: Plan;
  engine: Engine;
  seed: number;
  idPrefix: string;
  /** Builds the chain. Throws a PortPartyError (exit 3), and leaves nothing, when it cannot be built. */
  build(plan: Plan): Promise<Testbed>;
  /** Where sockets and state that the hosts of a node share are kept. */
  sharedDir(node: string): string;
  /** Called with the phase that begins; `under way` comes with the outcomes that fill up. */
  onProgress(progress: TrialProgress): void;
  /** Called once the start is fixed: whoever keeps the record may read the outcomes from then on. */
  onBegin(begun: { plan: Plan; traffic: TrafficPlan; outcomes: Outcomes; startedAtMs: number }): void;
  /** Aborted: send nothing more, settle what there is. */
  interrupt: AbortSignal;
  /** Called when an event has been carried out, or has failed. */
  onEvent(event: ChainEvent): void;
  /** Keep the testbed until the user says so (`--keep`). */
  keep?: (testbed: Testbed) => Promise<void>;
}

/** Where a trial is; `lastArrivalNs` counts from its start, and is 0 in closed loop. */
export type TrialProgress =
  | { phase: 'building' }
  | { phase: 'starting' }
  | { phase: 'under way'; outcomes: Outcomes; lastArrivalNs: number }
  | { phase: 'settling' };

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

/**
 * Throws a PortPartyError (exit 3) when the chain cannot be built or started, a daemon or a host ends in between, or an event fails;
 * the testbed is taken down either way.
 */
export async function runTrial(asked: TrialSettings): Promise<TrialResult> {
  const { variant, onProgress } = asked;
  onProgress({ phase: 'building' });
  const testbed = await asked.build(asked.plan);
  // A driver may have built it on other addresses.
  const { plan } = testbed;
  const settings: TrialSettings = { ...asked, plan };
  let preparing: Promise<PreparedTraffic> | undefined;
  const running = new Map<string, RunningNode>();
  const end = async () => {
    await preparing?.then(
      (prepared) => prepared.close(),
      () => {},
    );
    await testbed.down();
  };
  let result: TrialResult;
  try {
    onProgress({ phase: 'starting' });
    const site = siteOf(testbed);
    const traffic = makeTrafficPlan(variant, plan, testbed.hosts, { seed: settings.seed, idPrefix: settings.idPrefix });
    preparing = site.prepare(settings.engine, traffic);
    // If a node fails to start first, the engine's own failure must not end the process unhandled.
    preparing.catch(() => {});
    await startNodes(testbed, settings, running);
    result = await drive({ testbed, site, settings, traffic, prepared: await preparing, running });
  } catch (error) {
    return await thenEnd(error, end);
  }
  await end();
  return result;
}

/** Starts the chain from its end, so that every backend listens before the hop in front of it looks for it. */
async function startNodes(testbed: Testbed, settings: TrialSettings, running: Map<string, RunningNode>): Promise<void> {
  const start = async (planned: PlannedHost) => {
    const started = await startNode(testbed, settings, planned);
    if (started !== undefined) running.set(planned.name, started);
  };
  for (const hosts of fromTheEnd(settings.plan)) await Promise.all(hosts.map(start));
}

/** Starts the node of one host; undefined where the kind has nothing to start. */
async function startNode(
  testbed: Testbed,
  { plan, variant, sharedDir }: TrialSettings,
  planned: PlannedHost,
): Promise<RunningNode | undefined> {
  const kind = kindOf(planned.spec.kind);
  const context = {
    host: testbed.hosts.get(planned.name)!,
    planned,
    spec: planned.spec,
    plan,
    listen: plan.listeners[planned.name],
    backends: plan.targets[planned.name] ?? [],
    sources: plan.sources[planned.name] ?? [],
    userConfig: variant.configs[planned.node],
    sharedDir: sharedDir(planned.node),
  };
  return planned.spec.image === undefined ? kind.start?.(context) : startUserImage(kind, context);
}

/** The plan's hosts by their distance from the end of the chain, the end first. */
function fromTheEnd(plan: Plan): PlannedHost[][] {
  const toOf = new Map(plan.hosts.map(({ node, spec }) => [node, spec.to]));
  const depth = (node: string): number => {
    const to = toOf.get(node);
    return to === undefined ? 0 : 1 + depth(to);
  };
  // A gateway needs nothing behind it.
  const byDepth = groupBy(plan.hosts, ({ node, layer }) => (layer === 'L3' ? 0 : depth(node)));
  return [...byDepth].sort(([a], [b]) => a - b).map(([, hosts]) => hosts);
}

interface ReadyTrial {
  testbed: Testbed;
  site: Site;
  settings: TrialSettings;
  traffic: TrafficPlan;
  prepared: PreparedTraffic;
  running: Map<string, RunningNode>;
}

async function drive({ testbed, site, settings, traffic, prepared, running }: ReadyTrial): Promise<TrialResult> {
  const { outcomes } = prepared;
  const { clock, localStartNs } = await site.fixStart();
  const processes = processIds(running);
  const observer = await startObserving(testbed, { clock, outcomes, processes });
  settings.onBegin({ plan: settings.plan, traffic, outcomes, startedAtMs: startedAtMs(clock) });
  const timeline = startTimeline(settings.variant.events, {
    testbed,
    running,
    startNs: localStartNs,
    start: (planned) => startNode(testbed, settings, planned),
    onEvent(event) {
      // The sampler follows the processes that there are now.
      for (const [host, ids] of Object.entries(processIds(running))) processes[host]?.splice(0, Infinity, ...ids);
      settings.onEvent(event);
    },
  });
  const stop = () => prepared.stop();
  settings.interrupt.addEventListener('abort', stop);
  let generator: GeneratorReport;
  try {
    settings.onProgress({ phase: 'under way', outcomes, lastArrivalNs: traffic.arrivalsNs.at(-1) ?? 0 });
    const sending = prepared.run(clock.monotonicAtStartNs);
    if (settings.interrupt.aborted) prepared.stop();
    generator = await Promise.race([sending, site.lost]);
  } catch (error) {
    // The taps' descriptors would keep the hosts' namespaces alive. What it says of a lost host is said already.
    await Promise.all([observer.stop().catch(() => {}), timeline.stop().catch(() => {})]);
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
  // From the front, so that no hop's log tells of the end of the one behind it.
  for (const hosts of fromTheEnd(settings.plan).reverse())
    await Promise.all(hosts.map(({ name }) => running.get(name)?.stop?.()));
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
  const file = caseFile(settings.plan, traffic, outcomes, observations);
  return {
    traffic,
    outcomes,
    observations,
    file,
    ledger: ledgerOf(file),
    generator,
    tickets: await soldTickets(testbed, settings.plan),
    attackers: await readAttacks(testbed, settings.plan),
    problems: holesIn(observations),
    remarks: [...running].flatMap(([name, node]) =>
      node.reducedAttribution ? [`${name}: ${node.reducedAttribution}`] : [],
    ),
  };
}

/** Process ids of each host's daemons. */
function processIds(running: Map<string, RunningNode>): Record<string, number[]> {
  return Object.fromEntries([...running].map(([host, { processes }]) => [host, processes.map(({ pid }) => pid)]));
}

async function readLogs(testbed: Testbed, plan: Plan): Promise<LogReading[]> {
  return Promise.all(
    plan.hosts.map(async (planned) => {
      const reading = await kindOf(planned.spec.kind).readLogs?.(testbed.hosts.get(planned.name)!);
      return reading ?? { sightings: [], incidents: [] };
    }),
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
