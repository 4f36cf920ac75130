/**
 * The timeline of a trial: carries out each event at its time, and notes when it really happened and how it went.
 *
 *     planned 3.000 s --timer--> started 3.001 s --signal, command, change--> done 3.042 s
 *
 * Events of one host wait for each other; those of different hosts don't.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PortPartyError } from '../errors.js';
import type { RunningNode } from '../nodes/kind.js';
import { listensOn } from '../nodes/ready.js';
import type { ChainEvent } from '../observe/observations.js';
import type { EventAction, ScenarioEvent } from '../scenario/scenario.js';
import type { Host, HostProcess, Testbed } from '../testbed/host.js';
import type { Endpoint, PlannedHost } from '../topology/plan.js';
import { switchOff, switchOn } from './power.js';

/** How long a daemon that was killed may keep its address, ms: its memory is cleared first. */
const FREE_WITHIN_MS = 5000;

/** What a timeline works on. */
export interface TimelineContext {
  testbed: Testbed;
  /** By host name; a restart replaces an entry. */
  running: Map<string, RunningNode>;
  /** Starts a host's node again as at the beginning. */
  start(planned: PlannedHost): Promise<RunningNode | undefined>;
  /** CLOCK_MONOTONIC of the start of the traffic. */
  startNs: bigint;
  /** Called when an event has ended, well or not. */
  onEvent(event: ChainEvent): void;
}

/** A timeline under way. */
export interface Timeline {
  /** Ends it once what has begun is over, lets paused processes go on, and gives all events in the order of their time. */
  stop(): Promise<ChainEvent[]>;
  /** Hosts that an event has ended for good. */
  readonly killed: ReadonlySet<string>;
}

/** Sets the timers of all events, and of the nodes that begin by themselves. */
export function startTimeline(events: ScenarioEvent[], context: TimelineContext): Timeline {
  const { testbed, running, startNs } = context;
  const sinceStart = () => Number(process.hrtime.bigint() - startNs);
  const killed = new Set<string>();
  const paused = new Set<string>();
  const lastOf = new Map<string, Promise<void>>();
  const timers: NodeJS.Timeout[] = [];
  const happened: ChainEvent[] = events.map((event) => ({
    plannedNs: event.atMs * 1e6,
    startedNs: undefined,
    tookMs: 0,
    text: event.text,
    kinds: event.actions.map((action) => action.do),
    hosts: event.actions.flatMap((action) => hostsOf(testbed, action).map(({ name }) => name)),
    outcome: 'never',
  }));
  const underWay: Promise<void>[] = [];

  /** Runs behind whatever a host is still busy with. */
  function inTurn(host: string, work: () => Promise<void>): Promise<void> {
    const before = lastOf.get(host) ?? Promise.resolve();
    const turn = before.then(work, work);
    lastOf.set(host, turn);
    return turn;
  }

  function at(atMs: number, work: () => void): void {
    timers.push(setTimeout(work, Math.max(0, atMs - sinceStart() / 1e6)));
  }

  async function carryOut(event: ScenarioEvent, note: ChainEvent): Promise<void> {
    note.startedNs = sinceStart();
    const doings = event.actions.flatMap((action) =>
      hostsOf(testbed, action).map((planned) =>
        inTurn(planned.name, () => act(action, planned, { ...context, killed, paused })),
      ),
    );
    const failure = (await Promise.allSettled(doings)).find((result) => result.status === 'rejected');
    note.tookMs = (sinceStart() - note.startedNs) / 1e6;
    note.outcome = failure === undefined ? 'done' : 'failed';
    if (failure !== undefined) note.failure = sayWhy(failure.reason);
    context.onEvent(note);
  }

  events.forEach((event, index) => {
    at(event.atMs, () => underWay.push(carryOut(event, happened[index])));
  });
  const failedBeginnings: ChainEvent[] = [];
  for (const [name, { begin }] of running) {
    if (begin === undefined) continue;
    at(begin.afterMs, () => {
      underWay.push(
        inTurn(name, begin.now).catch((error) => {
          failedBeginnings.push({
            plannedNs: begin.afterMs * 1e6,
            startedNs: sinceStart(),
            tookMs: 0,
            text: `${name} begins`,
            kinds: [],
            hosts: [name],
            outcome: 'failed',
            failure: sayWhy(error),
          });
        }),
      );
    });
  }

  return {
    killed,
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(underWay);
      // What is stopped would not hear that it is to end.
      for (const name of paused) await signalAll(running.get(name), 'SIGCONT');
      return [...happened, ...failedBeginnings];
    },
  };
}

/** What an action changes beside its hosts. */
interface Effects extends TimelineContext {
  killed: Set<string>;
  paused: Set<string>;
}

async function act(action: EventAction, planned: PlannedHost, context: Effects): Promise<void> {
  const { running, killed, paused } = context;
  const { name } = planned;
  const host = context.testbed.hosts.get(name)!;
  const node = running.get(name);
  switch (action.do) {
    case 'kill':
      killed.add(name);
      if (planned.layer === 'L3') return switchOff(host);
      await signalAll(node, 'SIGKILL');
      await Promise.all(exposedOf(node).map(({ exited }) => exited));
      paused.delete(name);
      return;
    case 'restart':
      if (planned.layer === 'L3') await switchOn(host);
      else await restart(planned, node, context);
      killed.delete(name);
      return;
    case 'pause':
      paused.add(name);
      return signalAll(node, 'SIGSTOP');
    case 'resume':
      paused.delete(name);
      return signalAll(node, 'SIGCONT');
    case 'reload':
      return node?.reload?.();
    case 'change':
      return node?.change?.(action.knobs);
    case 'sysctl':
      return host.setSysctl(action.name, action.value);
    case 'forget-connections':
      return forgetConnections(host);
  }
}

async function restart(planned: PlannedHost, node: RunningNode | undefined, context: Effects): Promise<void> {
  const { running, paused, killed, testbed } = context;
  if (paused.delete(planned.name)) await signalAll(node, 'SIGCONT');
  // What was killed has ended, its children may still be clearing up: the next one could not listen, and would seem to.
  const listen = testbed.plan.listeners[planned.name];
  if (killed.has(planned.name) && listen !== undefined) await isFree(testbed.hosts.get(planned.name)!, listen);
  if (node?.restart !== undefined) return node.restart();
  await node?.stop?.();
  const again = await context.start(planned);
  if (again !== undefined) running.set(planned.name, again);
}

/** Waits until nobody listens there any more. A listener that stays is for the start that follows to tell of. */
async function isFree(host: Host, listen: Endpoint): Promise<void> {
  const deadline = performance.now() + FREE_WITHIN_MS;
  while ((await listensOn(host, listen)) && performance.now() < deadline) await sleep(5);
}

/** What a standby gateway that takes over does not have: the connections of the one before it. */
async function forgetConnections(host: Host): Promise<void> {
  await host.run(['conntrack', '-F']);
}

function exposedOf(node: RunningNode | undefined): HostProcess[] {
  return node?.exposed ?? node?.processes ?? [];
}

async function signalAll(node: RunningNode | undefined, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  for (const process of exposedOf(node)) if (process.running) await process.signal(name);
}

function hostsOf(testbed: Testbed, { target }: EventAction): PlannedHost[] {
  return testbed.plan.hosts.filter(
    ({ node, index }) => node === target.node && (target.index === undefined || index === target.index),
  );
}

function sayWhy(error: unknown): string {
  if (error instanceof PortPartyError && error.where !== undefined) return `${error.where}: ${error.message}`;
  return (error as Error).message;
}
