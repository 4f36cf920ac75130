/** What is wrong with events whose form is right: nobody there, a kind that cannot do it, a value that its knob does not take. */
import { z } from 'zod';
import { kindOf, type NodeSpec } from '../nodes/registry.js';
import { chainFrom, layerOf, type Topology } from '../topology/chain.js';
import { aKind } from './a-kind.js';
import { actionsOf, CONNTRACK, FLUSH, knobSchema, readSetPath, readTarget } from './events.js';
import type { KeyPath, Problem } from './problem.js';
import type { EventTarget } from './scenario.js';
import { EVENT_ACTIONS, type WrittenEvent } from './schema.js';
import { checkSchema, didYouMean } from './schema-problems.js';
import { weightCountProblems } from './weight-problems.js';

type Said = Pick<Problem, 'message' | 'hint'>;

/** The problems of the events, given a topology without problems. */
export function eventProblems(events: WrittenEvent[] | undefined, topology: Topology): Problem[] {
  // Each change is judged on what the ones before it have made of the node.
  const changing = { ...topology };
  return (events ?? [])
    .map((event, index) => ({ event, path: ['events', index] }))
    .sort((a, b) => a.event.at - b.event.at)
    .flatMap(({ event, path }) => problemsOf(event, changing, path));
}

function problemsOf(event: WrittenEvent, topology: Topology, path: KeyPath): Problem[] {
  const actions = actionsOf(event);
  if (actions.length === 0) {
    const hint = `add one of ${EVENT_ACTIONS.join(', ')}`;
    return [{ message: 'the event does nothing', hint, path, at: 'value' }];
  }
  const [action, second] = actions;
  if (second !== undefined) {
    const message = `one event does one thing, not \`${action}\` and \`${second}\``;
    return [{ message, hint: 'make two events of it', path: [...path, second], at: 'key' }];
  }
  if (action === 'set') return setProblems(event.set!, topology, [...path, 'set']);
  const where: KeyPath = action === 'slow' ? [...path, 'slow', 'node'] : [...path, action];
  const target = readTarget(action === 'slow' ? event.slow!.node : event[action]!);
  const said = targetProblem(target, topology) ?? inabilityOf(action, target.node, topology);
  return said === undefined ? [] : [{ ...said, path: where, at: 'value' }];
}

function targetProblem({ node, index }: EventTarget, topology: Topology): Said | undefined {
  if (!Object.hasOwn(topology, node)) {
    const nodes = Object.keys(topology);
    return {
      message: `there is no node \`${node}\``,
      hint: didYouMean(node, nodes) ?? `nodes are: ${nodes.join(', ')}`,
    };
  }
  const { hosts } = topology[node];
  if (index !== undefined && (hosts === 1 || index >= hosts)) {
    const names = Array.from({ length: hosts }, (_, host) => `${node}[${host}]`);
    const hint = hosts === 1 ? `write ${node}` : `hosts are: ${names.join(', ')}`;
    return { message: `there is no host \`${node}[${index}]\``, hint };
  }
  const starts = Object.keys(topology).filter((name) => layerOf(topology[name]) === 'client');
  if (starts.some((name) => chainFrom(topology, name).includes(node))) return undefined;
  return { message: `no client's chain leads to \`${node}\`, so it is not built`, hint: 'leave the event out' };
}

/** Why a kind cannot do what an event asks of it. */
function inabilityOf(action: (typeof EVENT_ACTIONS)[number], node: string, topology: Topology): Said | undefined {
  const { kind } = topology[node];
  const { layer, reloads, live = [] } = kindOf(kind);
  const cannot = (why: string, hint: string): Said => ({ message: `\`${node}\` is ${aKind(kind)}: ${why}`, hint });
  const who = (able: (name: string) => boolean) => {
    const names = Object.keys(topology).filter(able);
    return names.length === 0 ? 'leave the event out' : `nodes that can: ${names.join(', ')}`;
  };
  switch (action) {
    case 'reload':
      if (reloads) return undefined;
      return cannot(
        'it has no configuration to load again',
        who((name) => kindOf(topology[name].kind).reloads === true),
      );
    case 'slow':
      if (live.includes('serviceTime')) return undefined;
      return cannot(
        'it has no service time',
        who((name) => kindOf(topology[name].kind).live?.includes('serviceTime') === true),
      );
    case 'pause':
    case 'resume':
      if (layer === 'L3')
        return cannot('it forwards in the kernel and has no process to stop', 'use `kill` and `restart`');
  }
  if (kind === 'attacker' && action === 'restart') return cannot('its attack is one', 'use `pause` and `resume`');
  if (kind === 'client') return cannot('its visitors are sent by the harness', 'change `traffic.arrivals` instead');
  return undefined;
}

function setProblems(set: Record<string, unknown>, topology: Topology, path: KeyPath): Problem[] {
  const entries = Object.entries(set);
  if (entries.length === 0) {
    const hint = 'write it like { balancer.algorithm: least-connections }';
    return [{ message: 'the event sets nothing', hint, path, at: 'key' }];
  }
  const problems = entries.flatMap(([key, value]): Problem[] => {
    const at: KeyPath = [...path, key];
    const read = readSetPath(key);
    if (read === undefined) {
      const hint = 'write it like balancer.algorithm, edge.sysctls.net.ipv4.tcp_tw_reuse or edge.conntrack';
      return [{ message: `\`${key}\` is not a node and what to set of it`, hint, path: at, at: 'key' }];
    }
    const stranger = targetProblem(read.target, topology);
    if (stranger !== undefined) return [{ ...stranger, path: at, at: 'key' }];
    if ('conntrack' in read.what) return conntrackProblems(read.target.node, value, topology, at);
    if ('sysctl' in read.what) return sysctlProblems(read.what.sysctl, value, at);
    return knobProblems(read.target.node, read.what.knob, value, topology, at);
  });
  return problems.length > 0 ? problems : refusals(set, topology, path);
}

/** What a product cannot do of all the new values together; `topology` has them afterwards. */
function refusals(set: Record<string, unknown>, topology: Topology, path: KeyPath): Problem[] {
  /** By node: the key of each knob that is set. */
  const keys = new Map<string, Map<string, string>>();
  for (const [key, value] of Object.entries(set)) {
    const { target, what } = readSetPath(key)!;
    if (!('knob' in what)) continue;
    const spec = topology[target.node];
    const read = knobSchema(spec.kind, what.knob).parse(value);
    topology[target.node] = { ...spec, [what.knob]: read } as NodeSpec;
    keys.set(target.node, (keys.get(target.node) ?? new Map()).set(what.knob, key));
  }
  return [...keys].flatMap(([node, keyOf]) => {
    const refused = [
      ...(kindOf(topology[node].kind).refuse?.(topology[node]) ?? []),
      ...weightCountProblems(topology, node),
    ];
    const [first] = keyOf.values();
    return refused.map(
      ({ message, hint, path: [knob] }): Problem => ({
        message,
        hint,
        path: [...path, keyOf.get(knob) ?? first],
        at: 'value',
      }),
    );
  });
}

function conntrackProblems(node: string, value: unknown, topology: Topology, path: KeyPath): Problem[] {
  if (layerOf(topology[node]) !== 'L3') {
    const message = `\`${node}\` is ${aKind(topology[node].kind)}: it keeps no table of connections`;
    return [{ message, hint: 'name a nat or a firewall', path, at: 'key' }];
  }
  if (value === FLUSH) return [];
  return [
    {
      message: `\`${CONNTRACK}\`: expected "${FLUSH}"`,
      hint: `write it like ${node}.${CONNTRACK}: ${FLUSH}`,
      path,
      at: 'value',
    },
  ];
}

function sysctlProblems(name: string, value: unknown, path: KeyPath): Problem[] {
  if (!/^net\.[a-z0-9_.-]+$/.test(name)) {
    const message = `\`${name}\` is not a setting of a host of its own`;
    return [{ message, hint: 'only net.* settings are; e.g. net.ipv4.tcp_tw_reuse', path, at: 'key' }];
  }
  if (typeof value === 'number' || typeof value === 'string') return [];
  return [
    { message: `\`${name}\`: expected a number or text`, hint: 'write it like 1, or "20000 20499"', path, at: 'value' },
  ];
}

function knobProblems(node: string, knob: string, value: unknown, topology: Topology, path: KeyPath): Problem[] {
  const spec = topology[node];
  const { live = [] } = kindOf(spec.kind);
  if (!live.includes(knob)) {
    const known = [...live, 'sysctls.…', ...(layerOf(spec) === 'L3' ? [CONNTRACK] : [])];
    const message = `\`${knob}\` of a ${spec.kind} cannot be changed while it runs`;
    return [{ message, hint: didYouMean(knob, live) ?? `what can: ${known.join(', ')}`, path, at: 'key' }];
  }
  if ('config' in spec && spec.config !== undefined) {
    const message = `\`${node}\` has a configuration of its own, which setting a knob would not change`;
    return [{ message, hint: 'change that file, and use `reload`', path, at: 'key' }];
  }
  const { problems } = checkSchema(z.strictObject({ [knob]: knobSchema(spec.kind, knob) }), { [knob]: value });
  return problems.map((problem): Problem => ({ ...problem, path: [...path, ...problem.path.slice(1)], at: 'value' }));
}
