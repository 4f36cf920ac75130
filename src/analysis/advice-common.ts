/** Advice that is the same against several causes: serve more at a time, on more hosts, behind more backends. */
import type { NodeKind } from '../nodes/kind.js';
import { type KindName, kindOf } from '../nodes/registry.js';
import type { Advice, AdviceFacts } from './advice.js';

/** The kind of that name; undefined for one that a record of another version names. */
export const knownKind = (name: string): NodeKind | undefined => kindOf(name as KindName);

/** Whether nodes of that kind have the knob, and follow this value of it. */
export function takesKnob(kindName: string, name: string, value?: unknown): boolean {
  const kind = knownKind(kindName);
  if (kind === undefined || !Object.hasOwn(kind.knobs.shape, name) || Object.hasOwn(kind.lacks ?? {}, name))
    return false;
  return value === undefined || kind.knobs.shape[name].safeParse(value).success;
}

/** Path of one of the node's own knobs. */
export const knob = ({ at }: AdviceFacts, name: string) => `topology.${at}.${name}`;

/** A knob's value, where it is a number. */
export const number = ({ node }: AdviceFacts, name: string) =>
  typeof node.spec[name] === 'number' ? (node.spec[name] as number) : undefined;

/** More workers, where it has them. */
export function moreWorkers(facts: AdviceFacts, because?: string): Advice[] {
  const workers = number(facts, 'workers');
  if (workers === undefined) return [];
  return [
    {
      do: 'Serve more at a time.',
      knob: knob(facts, 'workers'),
      value: String(workers * 2),
      ...(because === undefined ? {} : { because }),
    },
  ];
}

/** More hosts; a gateway is one. */
export function moreHosts(facts: AdviceFacts, because?: string): Advice[] {
  if (facts.node.layer === 'L3') return [];
  return [
    {
      do: 'Share the load among more of them.',
      knob: knob(facts, 'hosts'),
      value: String(facts.node.hosts.length + 1),
      ...(because === undefined ? {} : { because }),
    },
  ];
}

/** Endpoints that its connections are spread over. */
export const targetsOf = ({ node }: AdviceFacts) => node.targets?.length ?? 1;

/** More hosts of the node behind it. */
export function moreBackends(facts: AdviceFacts): Advice[] {
  const [target] = facts.node.targets ?? [];
  const name = target?.host.replace(/\[\d+\]$/, '');
  const hosts = name === undefined ? undefined : facts.chain.nodes[name]?.hosts.length;
  return hosts === undefined
    ? []
    : [{ do: 'Share the load among more backends.', knob: `topology.${name}.hosts`, value: String(hosts + 1) }];
}

/** Gateways that connections to this node cross. */
export function gatewaysBefore({ at, chain }: AdviceFacts): string[] {
  return Object.entries(chain.nodes).flatMap(([name, { kind, to }]) => (kind === 'nat' && to === at ? [name] : []));
}

/** Proxies whose backends are this node. */
export function proxiesBefore({ at, chain }: AdviceFacts): string[] {
  return Object.entries(chain.nodes).flatMap(([name, { layer, to }]) => (layer === 'L7' && to === at ? [name] : []));
}
