/** Which of a scenario's gates a search for capacity holds a trial against: those that more load can only break. Pure. */
import type { LoadKind } from '../scenario/scale.js';
import { type GateExpression, isRelative, parseGate } from './gate-expression.js';

/** The gates of a search. */
export interface CapacityGates {
  gates: string[];
  /** Gates of the scenario that say nothing about capacity, and why. */
  leftOut: { gate: string; why: string }[];
}

/**
 * What holds where no gate bounds the losses: a chain that loses everybody else is no faster for it. One in two hundred, because a pool that
 * is all but full misses its last free ports by chance (docs/capacity.md, "How exact it is").
 */
const FEW_LOSSES = 'droppedShare < 0.5%';
/** Connections are counted, and a count is exact. */
const NO_LOSS = 'dropped == 0';

/** Chooses from the scenario's gates of one variant. Throws a GateSyntaxError where one cannot be read. */
export function capacityGates(written: string[], of: LoadKind): CapacityGates {
  const judged = written.map((gate) => ({ gate, why: whyNot(parseGate(gate)) }));
  const gates = judged.filter(({ why }) => why === undefined).map(({ gate }) => gate);
  return {
    gates: gates.some((gate) => boundsAllLosses(parseGate(gate)))
      ? gates
      : [of === 'connections' ? NO_LOSS : FEW_LOSSES, ...gates],
    leftOut: judged.flatMap(({ gate, why }) => (why === undefined ? [] : [{ gate, why }])),
  };
}

function whyNot(gate: GateExpression): string | undefined {
  if (isRelative(gate)) return 'it compares with a baseline';
  const { metric, operator, value } = gate;
  switch (metric.kind) {
    case 'due':
    case 'completed':
    case 'attempts':
    case 'tickets.sold':
      return "it counts the scenario's own burst";
    case 'attack':
      return 'an attack is no load of visitors';
    case 'throughput':
      return 'it asks for load';
    default:
  }
  if (operator === '<' || operator === '<=') return undefined;
  if (operator === '==' && value === 0) return undefined;
  return metric.kind === 'latency' || metric.kind === 'ports' ? 'it asks for load' : 'it asks for losses';
}

function boundsAllLosses({ metric }: GateExpression): boolean {
  return (
    metric.kind === 'droppedShare' ||
    (metric.kind === 'dropped' && metric.cause === undefined && metric.at === undefined)
  );
}
