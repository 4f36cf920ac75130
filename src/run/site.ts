/** Where a trial's work is done: in this process, which enters the hosts' namespaces, or by the agents of hosts that it cannot enter. */
import type { HostAgent } from '../agent/host-agent.js';
import { testbedError } from '../errors.js';
import { type RunClock, runClock } from '../observe/clock.js';
import type { Testbed } from '../testbed/host.js';
import type { Engine, PreparedTraffic, TrafficPlan } from '../traffic/engine.js';
import { prepareOnAgents } from '../traffic/on-agents.js';

/** Time between the last preparation and the first planned arrival: opening the taps takes some of it, ns. */
const HEAD_START_NS = 200_000_000n;
/** The same for agents: the taps of all hosts are opened by programs of their own at once … */
const AGENTS_HEAD_START_NS = 500_000_000n;
/** … and the orders travel: this many times there and back, with room for a line that is slower now and then. */
const JOURNEYS = 10;

/** How a trial sends and tells the time. */
export interface Site {
  /** Makes the engine ready, here or on the clients' agents. Throws a PortPartyError (exit 3) when an agent ends. */
  prepare(engine: Engine, traffic: TrafficPlan): Promise<PreparedTraffic>;
  /** Fixes the start, a moment from now, on the clocks of the machine that the hosts are on, and on this process's CLOCK_MONOTONIC. */
  fixStart(): Promise<{ clock: RunClock; localStartNs: bigint }>;
  /** Rejects when a host or its agent ends, with a PortPartyError (exit 3) that names the host; never resolves. */
  lost: Promise<never>;
}

/** Agents send where every client host has one; else this process does. */
export function siteOf(testbed: Testbed): Site {
  const agents = [...testbed.hosts.values()].flatMap(({ name, agent }) =>
    agent === undefined ? [] : [{ name, agent }],
  );
  const lost = new Promise<never>((_, reject) => {
    for (const { name, agent } of agents)
      void agent.closed.then((reason) =>
        reject(testbedError(`the agent of ${name} ended in the middle of the run: ${reason}`, name)),
      );
    testbed.lost?.catch(reject);
  });
  // Every agent ends with its testbed, and then nobody listens.
  lost.catch(() => {});
  return {
    lost,
    prepare(engine, traffic) {
      const senders = traffic.clients.flatMap(({ host }) => testbed.hosts.get(host)!.agent ?? []);
      return senders.length === traffic.clients.length
        ? prepareOnAgents(engine.name, traffic, senders)
        : engine.prepare(traffic);
    },
    fixStart: () => fixStart(agents[0]?.agent),
  };
}

async function fixStart(agent: HostAgent | undefined): Promise<{ clock: RunClock; localStartNs: bigint }> {
  const asked = process.hrtime.bigint();
  if (agent === undefined) {
    const localStartNs = asked + HEAD_START_NS;
    return { clock: runClock(localStartNs), localStartNs };
  }
  const reading = await agent.clock();
  const journeyNs = process.hrtime.bigint() - asked;
  const aheadNs = AGENTS_HEAD_START_NS + BigInt(JOURNEYS) * journeyNs;
  // The clock was read about half-way.
  const localStartNs = asked + journeyNs / 2n + aheadNs;
  return { clock: runClock(reading.monotonicNs + aheadNs, reading), localStartNs };
}
