/** The options of `portparty capacity` as text to a search, every mistake told by its option (exit 2). Does no I/O. */
import type { z } from 'zod';
import { capacityGates } from '../analysis/capacity-gates.js';
import { GateSyntaxError, isRelative, nodesNamed, parseGate } from '../analysis/gate-expression.js';
import { usageError } from '../errors.js';
import { judgedMs, type Load, peakRateOf, visitorsOf } from '../scenario/scale.js';
import type { Scenario, ScenarioVariant } from '../scenario/scenario.js';
import { duration, rate, share } from '../scenario/units.js';
import type { CapacitySearch } from './capacity.js';

/** The options as they are typed. */
export interface CapacityFlags {
  of: Load['of'];
  need?: string;
  gate?: string[];
  from?: string;
  upTo?: string;
  resolution: string;
  repeat: number;
  for?: string;
  process?: 'uniform' | 'poisson';
  max: number;
  budget: string;
}

/** Where a search begins when the scenario has no rate of its own, per second, and with how many connections. */
const FROM_RATE = 100;
const FROM_CONNECTIONS = 100;
/** A trial in which fewer visitors come says nothing of a rate. */
const LEAST_VISITORS = 10;

/** Throws a PortPartyError (exit 2) with the option that is wrong, and what would be right. */
export function readCapacityOptions(scenario: Scenario, flags: CapacityFlags): CapacitySearch {
  const [variant, ...others] = scenario.variants;
  if (others.length > 0) {
    const names = scenario.variants.map(({ name }) => name);
    throw usageError(
      `which of its ${names.length} variants?`,
      scenario.file,
      `name one: --variant ${names.join(' | ')}`,
    );
  }
  const { of } = flags;
  const load: Load = { of, forMs: readTime('--for', flags.for), process: flags.process };
  const isRate = of === 'rate';
  if (of === 'visitors' && visitorsOf(variant.traffic) === 0)
    throw usageError('the arrivals have no rates to be scaled', '--of visitors', 'use --of rate or --of connections');
  if (of === 'visitors' && load.forMs !== undefined)
    throw usageError("a burst lasts as long as the scenario's phases say", '--for', 'leave it out, or use --of rate');
  const level = (option: string, text: string | undefined) => readLevel(option, text, isRate);
  const seconds = (load.forMs ?? judgedMs(variant.traffic)) / 1000;
  const least = isRate ? Number((LEAST_VISITORS / seconds).toPrecision(5)) : 1;
  const upTo = level('--up-to', flags.upTo);
  const from = level('--from', flags.from) ?? Math.min(firstLevel(variant, of), upTo ?? Number.POSITIVE_INFINITY);
  if (from < least)
    throw usageError(
      `a trial of ${seconds} s would see fewer than ${LEAST_VISITORS} visitors`,
      `--from ${flags.from}`,
      `begin at ${least}/s, or judge longer with --for`,
    );
  if (upTo !== undefined && upTo < from)
    throw usageError('it is below the first level', `--up-to ${flags.upTo}`, 'lower --from as well');
  if (flags.repeat < 1) throw usageError('expected at least one trial', '--repeat 0');
  if (flags.max < 1) throw usageError('expected at least one trial', '--max 0');
  return {
    load,
    settings: {
      from,
      upTo,
      least,
      isWhole: !isRate,
      resolution: readShare('--resolution', flags.resolution),
      repeat: flags.repeat,
      maxTrials: flags.max,
      budgetMs: readTime('--budget', flags.budget)!,
    },
    ...gatesOf(variant, flags),
    need: level('--need', flags.need),
  };
}

/** Where the scenario itself is, which is mostly near to where its limit is. */
function firstLevel({ traffic }: ScenarioVariant, of: Load['of']): number {
  switch (of) {
    case 'rate':
      return peakRateOf(traffic) || FROM_RATE;
    case 'connections':
      return FROM_CONNECTIONS;
    case 'visitors':
      return Math.max(1, Math.round(visitorsOf(traffic)));
  }
}

function gatesOf(
  { gates, topology }: ScenarioVariant,
  { gate: wanted, of }: CapacityFlags,
): Pick<CapacitySearch, 'gates' | 'gatesLeftOut'> {
  if (wanted === undefined) {
    const { gates: chosen, leftOut } = capacityGates(
      gates.map(({ text }) => text),
      of,
    );
    return { gates: chosen, gatesLeftOut: leftOut };
  }
  for (const gate of wanted) {
    const option = `--gate '${gate}'`;
    let nodes: string[];
    try {
      const expression = parseGate(gate);
      if (isRelative(expression)) throw usageError('a search for capacity has no baseline', option, 'give a number');
      nodes = nodesNamed(expression);
    } catch (error) {
      if (!(error instanceof GateSyntaxError)) throw error;
      throw usageError(error.message, option, error.hint);
    }
    const stranger = nodes.find((node) => !Object.hasOwn(topology, node));
    if (stranger !== undefined)
      throw usageError(`there is no node \`${stranger}\``, option, `nodes are: ${Object.keys(topology).join(', ')}`);
  }
  return { gates: wanted, gatesLeftOut: [] };
}

function readLevel(option: string, text: string | undefined, isRate: boolean): number | undefined {
  if (text === undefined) return undefined;
  const example = isRate ? '900/s' : '900';
  const level = isRate ? read(rate, option, text) : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (level > 0) return level;
  throw usageError(`"${text}" is not a level`, `${option} ${text}`, `write it like ${option} ${example}`);
}

function readTime(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = read(duration, option, text);
  if (ms > 0) return ms;
  throw usageError('no time at all', `${option} ${text}`, `write it like ${option} 10s`);
}

function readShare(option: string, text: string): number {
  const value = read(share, option, text);
  if (value > 0 && value < 1) return value;
  throw usageError('expected a share between 0% and 100%', `${option} ${text}`, `write it like ${option} 1%`);
}

function read(unit: z.ZodType<number, string>, option: string, text: string): number {
  const result = unit.safeParse(text);
  if (result.success) return result.data;
  const [message, hint] = result.error.issues[0].message.split('; ');
  throw usageError(message, `${option} ${text}`, hint);
}
