/** A variant's traffic and the running hosts, made into the plain plan that an engine sends. */
import { testbedError, usageError } from '../errors.js';
import type { ScenarioVariant, Traffic } from '../scenario/scenario.js';
import { isForwardProxy } from '../topology/chain.js';
import type { Endpoint, Plan } from '../topology/plan.js';
import type { ConnectionMode, Engine, TrafficClient, TrafficPlan, TrafficTarget } from './engine.js';
import { journeySteps } from './journey.js';
import { arrivalTimes } from './schedule.js';

/** What a traffic plan takes from the trial rather than from the scenario. */
export interface TrafficPlanOptions {
  /** Every variant gets the same seed, so variants with the same arrivals meet the same visitors (paired comparison). */
  seed: number;
  /** Prefix of the request ids, unique to the trial. */
  idPrefix: string;
  /** `TrafficPlan.sendOn`. */
  sendOn?: number;
}

/**
 * Makes the traffic plan of one trial. `hosts` are the running hosts by name.
 * Throws a usage error (exit 2) when the arrivals cannot be planned or a client leads nowhere,
 * a testbed error (exit 3) when a client host does not run.
 */
export function makeTrafficPlan(
  variant: ScenarioVariant,
  plan: Plan,
  hosts: ReadonlyMap<string, { netns: string | null }>,
  options: TrafficPlanOptions,
): TrafficPlan {
  const { traffic } = variant;
  const closedLoop = closedLoopPhases(traffic);
  return {
    arrivalsNs:
      closedLoop === undefined ? arrivalTimes(traffic.arrivals, traffic.process, options.seed) : new Float64Array(),
    closedLoop,
    steps: journeySteps(traffic.journey),
    holdForMs: traffic.journey === 'hold' ? traffic.holdForMs : undefined,
    thinkTimeMs: traffic.thinkTimeMs,
    connections: traffic.connections,
    close: traffic.close,
    connectTimeoutMs: traffic.timeout.connectMs,
    responseTimeoutMs: traffic.timeout.responseMs,
    retry: traffic.retry,
    clients: trafficClients(traffic, plan, hosts),
    idPrefix: options.idPrefix,
    sendOn: options.sendOn,
  };
}

/** The engine that fits a way of using connections (docs/decisions/engines.md); `--engine` overrides it. */
export function chooseEngine(connections: ConnectionMode, closedLoop: boolean): Engine['name'] {
  if (closedLoop) return 'autocannon';
  return connections.mode === 'pooled' ? 'undici' : 'socket';
}

/** The closed-loop phases, or undefined when the arrivals are rates (a mixture is refused with the schedule). */
function closedLoopPhases(traffic: Traffic): { forMs: number; connections: number }[] | undefined {
  const phases = traffic.arrivals.filter((phase) => 'connections' in phase);
  return phases.length > 0 && phases.length === traffic.arrivals.length ? phases : undefined;
}

function trafficClients(
  traffic: Traffic,
  plan: Plan,
  hosts: ReadonlyMap<string, { netns: string | null }>,
): TrafficClient[] {
  const clients = traffic.from.flatMap((node) => plan.hosts.filter((host) => host.node === node));
  if (clients.length === 0)
    throw usageError(`traffic comes from ${traffic.from.join(', ')}, which has no hosts`, 'traffic.from');
  return clients.map(({ name }) => {
    const host = hosts.get(name);
    if (host === undefined) throw testbedError(`client host ${name} is not running`, name);
    const targets = plan.targets[name] ?? [];
    if (targets.length === 0) throw usageError(`nothing answers at the end of the way of ${name}`, name);
    return { host: name, netns: host.netns, targets: trafficTargets(targets, plan) };
  });
}

/** To a forward proxy a client says which server it wants: each proxy with each server, so that both take turns. */
function trafficTargets(targets: Endpoint[], plan: Plan): TrafficTarget[] {
  const [first] = targets;
  const proxy = plan.hosts.find(({ name }) => name === first.host);
  if (proxy === undefined || !isForwardProxy(proxy.spec)) return targets;
  const origins = plan.targets[first.host] ?? [];
  return origins.flatMap(({ address, port }) => targets.map((target) => ({ ...target, origin: `${address}:${port}` })));
}
