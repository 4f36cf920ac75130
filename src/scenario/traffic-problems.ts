/** What is wrong with traffic whose values are each right: nobody to send it, nothing to serve it, no visitor at all. */
import { chainFrom, sendsVisitors, type Topology } from '../topology/chain.js';
import { aKind } from './a-kind.js';
import type { KeyPath, Problem } from './problem.js';
import type { Body } from './schema.js';
import { didYouMean } from './schema-problems.js';

type WrittenTraffic = Body['traffic'];

/** The problems of the traffic, given a topology without problems. */
export function trafficProblems(traffic: WrittenTraffic, topology: Topology): Problem[] {
  const clients = Object.keys(topology).filter((name) => sendsVisitors(topology[name]));
  return [
    ...fromProblems(traffic, topology, clients),
    ...journeyProblems(traffic, topology, clients),
    ...arrivalProblems(traffic),
    ...timeoutProblems(traffic),
  ];
}

function fromProblems({ from }: WrittenTraffic, topology: Topology, clients: string[]): Problem[] {
  const listed = Array.isArray(from);
  return [from ?? []].flat().flatMap((name, index): Problem[] => {
    const path: KeyPath = listed ? ['traffic', 'from', index] : ['traffic', 'from'];
    if (clients.includes(name)) {
      if (!listed || from.indexOf(name) === index) return [];
      return [{ message: `\`${name}\` is there twice`, hint: 'name each client once', path, at: 'value' }];
    }
    const known = Object.hasOwn(topology, name);
    const hint = didYouMean(name, clients) ?? `clients are: ${clients.join(', ')}`;
    const message = known
      ? `\`${name}\` is ${aKind(topology[name].kind)}, and only clients send traffic`
      : `there is no client \`${name}\``;
    return [{ message, hint, path, at: 'value' }];
  });
}

function journeyProblems(traffic: WrittenTraffic, topology: Topology, clients: string[]): Problem[] {
  const path: KeyPath = ['traffic', 'journey'];
  if (traffic.journey === 'hold' && traffic.holdFor === undefined) {
    return [{ message: 'the journey `hold` needs `holdFor`', hint: 'write it like holdFor: 5s', path, at: 'value' }];
  }
  if (traffic.journey !== 'buy-ticket') return [];
  const senders = [traffic.from ?? clients].flat().filter((name) => clients.includes(name));
  return senders.flatMap((name): Problem[] => {
    const chain = chainFrom(topology, name);
    if (chain.some((node) => topology[node].kind === 'ticket-shop')) return [];
    const end = chain.at(-1)!;
    const message = `\`buy-ticket\` needs a ticket-shop, and the chain of \`${name}\` ends at \`${end}\`, a ${topology[end].kind}`;
    return [{ message, hint: `use the journey view-event, or make \`${end}\` a ticket-shop`, path, at: 'value' }];
  });
}

function arrivalProblems({ arrivals }: WrittenTraffic): Problem[] {
  const problems = arrivals.flatMap((phase, index): Problem[] => {
    const path: KeyPath = ['traffic', 'arrivals', index];
    if (phase.for === 0) {
      return [{ message: 'a phase of no time', hint: 'write it like for: 4s', path: [...path, 'for'], at: 'value' }];
    }
    if (phase.rate === undefined && phase.connections === undefined) {
      const hint = 'add rate: 600/s (open loop) or connections: 100 (closed loop)';
      return [{ message: 'the phase has neither `rate` nor `connections`', hint, path, at: 'value' }];
    }
    if (phase.rate !== undefined && phase.connections !== undefined) {
      const message = 'a phase has `rate` (open loop) or `connections` (closed loop), not both';
      return [{ message, hint: 'leave out one of them', path: [...path, 'connections'], at: 'key' }];
    }
    return [];
  });
  const other = arrivals.findIndex(({ rate }) => (rate === undefined) !== (arrivals[0].rate === undefined));
  if (problems.length === 0 && other !== -1) {
    const message = 'open loop (`rate`) and closed loop (`connections`) in one run';
    return [{ message, hint: 'make two variants of it', path: ['traffic', 'arrivals', other], at: 'value' }];
  }
  const visitors = arrivals.reduce(
    (sum, { rate, for: ms, connections }) =>
      sum + (rate === undefined ? (connections ?? 0) : ((rate.from + rate.to) / 2) * (ms / 1000)),
    0,
  );
  if (problems.length > 0 || visitors >= 1) return problems;
  const message = `these arrivals bring no visitor (${Number(visitors.toFixed(3))} expected)`;
  return [{ message, hint: 'raise `rate` or `for`', path: ['traffic', 'arrivals'], at: 'key' }];
}

function timeoutProblems({ timeout }: WrittenTraffic): Problem[] {
  return (['connect', 'response'] as const)
    .filter((which) => timeout[which] === 0)
    .map(
      (which): Problem => ({
        message: `a time-out of no time would drop everything`,
        hint: `write it like ${which}: 3s`,
        path: ['traffic', 'timeout', which],
        at: 'value',
      }),
    );
}
