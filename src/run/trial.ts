/** One trial of one variant: build the chain, start it, drive it, observe it, and settle its ledger. */
import { setTimeout as sleep } from 'node:timers/promises';
import { groupBy } from '../collections.js';
import { LEFT_SLACK_MS } from '../ledger/until-left.js';
import type { RunningNode } from '../nodes/kind.js';
import { kindOf } from '../nodes/registry.js';
import { startUserImage } from '../nodes/user-image.js';
import { startedAtMs } from '../observe/clock.js';
import type { ChainEvent } from '../observe/observations.js';
import { type Observer, startObserving } from '../observe/observe.js';
import { thenEnd } from '../promises.js';
import type { ScenarioVariant } from '../scenario/scenario.js';
import type { Testbed } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { Engine, GeneratorReport, PreparedTraffic, TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { makeTrafficPlan } from '../traffic/traffic-plan.js';
import { startTimeline } from './events.js';
import { pinned } from './pin.js';
import { coresFor, type Placement, sendingCore } from './placement.js';
import { type Driven, settle, type TrialResult } from './settle.js';
import { type Site, siteOf } from './site.js';

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
  /** Which cores the daemons keep to; absent: the kernel chooses. */
  placement?: Placement;
}

/**
 * Where a trial is. `startNs` is its start on this process's CLOCK_MONOTONIC, `lastArrivalNs` counts from there, and is 0 in closed loop;
 * `watched` gives what the sampler has read so far.
 */
export type TrialProgress =
  | { phase: 'building' }
  | { phase: 'starting' }
  | { phase: 'under way'; outcomes: Outcomes; lastArrivalNs: number; startNs: bigint; watched: Observer['soFar'] }
  | { phase: 'settling' };

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
    const { seed, idPrefix, placement } = settings;
    const sendOn = placement && sendingCore(placement);
    const traffic = makeTrafficPlan(variant, plan, testbed.hosts, { seed, idPrefix, sendOn });
    preparing = site.prepare(settings.engine, traffic);
    // If a node fails to start first, the engine's own failure must not end the process unhandled.
    preparing.catch(() => {});
    await startNodes(testbed, settings, running);
    const prepared = await preparing;
    const driven = await drive({ testbed, site, settings, traffic, prepared, running });
    if (settings.keep !== undefined && !settings.interrupt.aborted) await settings.keep(testbed);
    await stopNodes(plan, running);
    result = await settle({
      testbed,
      plan,
      running,
      traffic,
      outcomes: prepared.outcomes,
      driven,
      interrupted: settings.interrupt.aborted,
    });
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

/** From the front, so that no hop's log tells of the end of the one behind it. */
async function stopNodes(plan: Plan, running: Map<string, RunningNode>): Promise<void> {
  for (const hosts of fromTheEnd(plan).reverse())
    await Promise.all(hosts.map(({ name }) => running.get(name)?.stop?.()));
}

/** Starts the node of one host; undefined where the kind has nothing to start. */
async function startNode(
  testbed: Testbed,
  { plan, variant, sharedDir, placement }: TrialSettings,
  planned: PlannedHost,
): Promise<RunningNode | undefined> {
  const kind = kindOf(planned.spec.kind);
  const host = testbed.hosts.get(planned.name)!;
  const context = {
    host: placement === undefined ? host : pinned(host, coresFor(planned, placement)),
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

/** Sends the traffic while events happen and all is observed, to the end of the sending. */
async function drive({ testbed, site, settings, traffic, prepared, running }: ReadyTrial): Promise<Driven> {
  const { outcomes } = prepared;
  const { clock, localStartNs } = await site.fixStart();
  const processes = processIds(running);
  const observer = await startObserving(testbed, { clock, outcomes, processes, senders: prepared.senders });
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
    const lastArrivalNs = traffic.arrivalsNs.at(-1) ?? 0;
    settings.onProgress({
      phase: 'under way',
      ...{ outcomes, lastArrivalNs, startNs: localStartNs, watched: observer.soFar },
    });
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
  const sentAtMs = performance.now();
  settings.onProgress({ phase: 'settling' });
  const events = await timeline.stop();
  const died = [...running]
    .filter(([name]) => !timeline.killed.has(name))
    .filter(([, node]) => node.processes.some((daemon) => !daemon.running))
    .map(([name]) => name);
  // Their victims' end would be no success of theirs.
  await Promise.all([...running.values()].filter(({ begin }) => begin !== undefined).map((node) => node.stop?.()));
  const seen = await observer.stop();
  // What the daemons say when they are stopped must not look like an answer that came as the last visitor left.
  await sleep(Math.max(0, 2 * LEFT_SLACK_MS - (performance.now() - sentAtMs)));
  return { generator, events, died, startedAtMs: startedAtMs(clock), seen };
}

/** Process ids of each host's daemons. */
function processIds(running: Map<string, RunningNode>): Record<string, number[]> {
  return Object.fromEntries([...running].map(([host, { processes }]) => [host, processes.map(({ pid }) => pid)]));
}
