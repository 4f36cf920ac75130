/** Events of a checked file as the run carries them out: what to do to whom, with every value resolved. */
import { kindOf, type NodeSpec } from '../nodes/registry.js';
import type { Topology } from '../topology/chain.js';
import type { EventAction, EventTarget, ScenarioEvent } from './scenario.js';
import { EVENT_ACTIONS, type WrittenEvent } from './schema.js';

/** What `set` names: hosts, and behind the dot a knob, a kernel setting, or the table of connections. */
export interface SetPath {
  target: EventTarget;
  what: { knob: string } | { sysctl: string } | { conntrack: true };
}

/** Word of `set` for a gateway's table of connections. */
export const CONNTRACK = 'conntrack';
/** The one value that it takes: the gateway forgets all its connections. */
export const FLUSH = 'flush';

/** The keys of an event that say what it does: one, when it is right. */
export function actionsOf(event: WrittenEvent): (typeof EVENT_ACTIONS)[number][] {
  return EVENT_ACTIONS.filter((action) => event[action] !== undefined);
}

/** `shop` or `shop[1]`. */
export function readTarget(text: string): EventTarget {
  const [, node, index] = /^([^[]+)(?:\[(\d+)\])?$/.exec(text) as unknown as [string, string, string | undefined];
  return index === undefined ? { node } : { node, index: Number(index) };
}

/** `balancer.algorithm`, `edge.sysctls.net.ipv4.tcp_tw_reuse`, `edge.conntrack`; undefined when it is none of these forms. */
export function readSetPath(key: string): SetPath | undefined {
  const match = /^([a-z][a-z0-9-]*(?:\[\d+\])?)\.(?:(sysctls)\.(.+)|([A-Za-z]+))$/.exec(key);
  if (match === null) return undefined;
  const target = readTarget(match[1]);
  if (match[2] !== undefined) return { target, what: { sysctl: match[3] } };
  return { target, what: match[4] === CONNTRACK ? { conntrack: true } : { knob: match[4] } };
}

/** The schema of one knob of a node's kind. */
export function knobSchema(kind: NodeSpec['kind'], knob: string) {
  return kindOf(kind).knobs.shape[knob];
}

/** The events of a variant without problems, in the order of their time. */
export function toEvents(written: WrittenEvent[], topology: Topology): ScenarioEvent[] {
  return written
    .map((event): ScenarioEvent => ({ atMs: event.at, actions: toActions(event, topology), text: inWords(event) }))
    .sort((a, b) => a.atMs - b.atMs);
}

function toActions(event: WrittenEvent, topology: Topology): EventAction[] {
  const [action] = actionsOf(event);
  switch (action) {
    case 'slow': {
      const { node, serviceTime } = event.slow!;
      return [{ do: 'change', target: readTarget(node), knobs: { serviceTime } }];
    }
    case 'set':
      return setActions(event.set!, topology);
    default:
      return [{ do: action, target: readTarget(event[action]!) }];
  }
}

/** Knobs of the same hosts are changed together: a proxy then loads its configuration once. */
function setActions(set: Record<string, unknown>, topology: Topology): EventAction[] {
  const actions: EventAction[] = [];
  const changes = new Map<string, Record<string, unknown>>();
  for (const [key, value] of Object.entries(set)) {
    const { target, what } = readSetPath(key)!;
    if ('conntrack' in what) actions.push({ do: 'forget-connections', target });
    else if ('sysctl' in what) actions.push({ do: 'sysctl', target, name: what.sysctl, value: String(value) });
    else {
      const hosts = JSON.stringify(target);
      let knobs = changes.get(hosts);
      if (knobs === undefined) {
        knobs = {};
        changes.set(hosts, knobs);
        actions.push({ do: 'change', target, knobs });
      }
      knobs[what.knob] = knobSchema(topology[target.node].kind, what.knob).parse(value);
    }
  }
  return actions;
}

function inWords(event: WrittenEvent): string {
  const [action] = actionsOf(event);
  if (action === 'slow') return `slow ${event.slow!.node}: serviceTime ${event.slow!.serviceTime} ms`;
  if (action !== 'set') return `${action} ${event[action]}`;
  const changes = Object.entries(event.set!).map(
    ([key, value]) => `${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  return `set ${changes.join(', ')}`;
}
