/**
 * What would help against a cause, by the layer and kind of node where it struck: one table, each entry with the knob, the value to
 * write for this scenario, and the arithmetic behind it where there is one. Pure.
 */
import type { Cause } from '../ledger/causes.js';
import type { ChainNode, ChainRecord } from '../record/chain-record.js';
import { takesKnob } from './advice-common.js';
import { ADVICE, againstAftershock } from './advice-table.js';

/** One thing to do. */
export interface Advice {
  /** A sentence: what it does. */
  do: string;
  /** Path of the knob in the scenario file, as `--set` takes it; absent where it is no knob of the scenario. */
  knob?: string;
  /** The value to write, as YAML. */
  value?: string;
  /** The arithmetic behind it. */
  because?: string;
}

/** All that advice is made from. */
export interface AdviceFacts {
  cause: Cause;
  /** The node's name. */
  at: string;
  node: ChainNode;
  chain: ChainRecord;
  /** Requests lost to it, those in its wake included. */
  lost: number;
  /** The pool towards the busiest destination, where the node owns one. */
  pool?: { capacity: number; peak: number };
  /** Ports towards one destination that this burst would have needed. */
  neededPorts?: number;
  /** Most of the ports in use were in TIME_WAIT. */
  isTimeWait: boolean;
  /** Requests that came due in the busiest second. */
  peakPerSecond: number;
  /** The most requests that were lost to it within one second. */
  lostPerSecond: number;
}

/** Advice against a cause, the most direct first. Knobs that the node's kind does not take are left out. */
export function adviceFor(facts: AdviceFacts): Advice[] {
  return ADVICE[facts.cause](facts).filter((advice) => isTaken(advice, facts.chain));
}

/** What makes an aftershock smaller without curing what it follows from. */
export function adviceOnAftershock(chain: ChainRecord, at: string): Advice[] {
  const node = chain.nodes[at];
  if (node === undefined) return [];
  return againstAftershock(node, at).filter((advice) => isTaken(advice, chain));
}

/** Whether the knob exists on that node: a table for all kinds names more than each of them has. */
function isTaken({ knob: path }: Advice, chain: ChainRecord): boolean {
  const [, node, name] = /^topology\.([^.]+)\.([^.]+)/.exec(path ?? '') ?? [];
  if (node === undefined) return true;
  return Object.hasOwn(chain.nodes, node) && takesKnob(chain.nodes[node].kind, name);
}
