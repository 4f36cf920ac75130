/** Over how many processes a plan is spread: as few as its connections fit into, and as its rate needs where there are cores for them. */
import { mostWithin } from '../../most-within.js';
import type { TrafficPlan } from '../engine.js';

/** What limits a sender here. */
export interface SendingMachine {
  /** Descriptors that one process may have (RLIMIT_NOFILE). */
  descriptors: number;
  /** Open files that all processes together may have (fs.file-max). */
  openFiles: number;
  /** Cores that this process may run on. */
  cores: number;
}

/** Descriptors that a process has open beside its connections: logs, taps, namespaces. */
export const DESCRIPTORS_BESIDE = 1024;
/** Of a process with very few descriptors, the share of them that is left for connections. */
const SHARE_FOR_CONNECTIONS = 0.75;
/** Time that a connection is open beside what it is kept for, ns: handshake, answer and close of a chain that is in order. */
const EXCHANGE_NS = 1e9;
/** Requests a second above which a sender's core has no more time to be punctual: about half of what it can send at all. */
const STEADY_PER_SECOND = 8000;
/** Each takes some 60 MB and a moment to start. */
const MOST_SENDERS = 32;
const SECOND_NS = 1e9;

/** How many connections the plan keeps open at once by its own will: those that are held, and those whose visitors think. A slow chain makes it more. */
export function keptOpen({ arrivalsNs, steps, thinkTimeMs, holdForMs, connections }: TrafficPlan): number {
  const thinking = connections.mode === 'per-visitor' ? (steps.length - 1) * thinkTimeMs : 0;
  const keptNs = Math.max(holdForMs ?? 0, thinking) * 1e6;
  return keptNs === 0 ? 0 : mostWithin(arrivalsNs, keptNs + EXCHANGE_NS);
}

/**
 * The number of processes that send the plan; undefined where no number of them could hold its connections.
 * A part of a plan is sent by one.
 */
export function sendersFor(plan: TrafficPlan, machine: SendingMachine): number | undefined {
  if (plan.part !== undefined) return 1;
  const kept = keptOpen(plan);
  if (kept + DESCRIPTORS_BESIDE > machine.openFiles) return undefined;
  const room = Math.max(machine.descriptors - DESCRIPTORS_BESIDE, machine.descriptors * SHARE_FOR_CONNECTIONS);
  const perSecond = mostWithin(plan.arrivalsNs, SECOND_NS) * plan.steps.length;
  // One core is the chain's.
  const forRate = Math.min(Math.ceil(perSecond / STEADY_PER_SECOND), machine.cores - 1, MOST_SENDERS);
  for (let senders = Math.max(1, forRate); senders <= MOST_SENDERS; senders++)
    if (kept * largestShare(senders, plan.clients.length) <= room) return senders;
  return undefined;
}

/** `splitPlan` divides whole clients as long as there are enough of them. */
function largestShare(senders: number, clients: number): number {
  return senders <= clients ? Math.ceil(clients / senders) / clients : 1 / senders;
}
