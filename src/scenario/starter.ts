/** The text of a new scenario: small, commented, true. */
import { usageError } from '../errors.js';
import { SCENARIO_NAME } from './schema.js';

/**
 * A scenario that shows a NAT pool running out, and what helps.
 * @throws PortPartyError (exit 2) when the name can't be a scenario's name
 */
export function starterScenario(name: string): string {
  if (!SCENARIO_NAME.test(name)) {
    throw usageError(`"${name}" can't be a scenario's name`, undefined, 'use letters, digits and dashes, at most 64');
  }
  return TEXT.replace('NAME', name);
}

const TEXT = `name: NAME
description: Buyers behind one NAT gateway, on a quiet day and on the day of the sale.

# The chain, hop by hop: \`to\` names the next one.
topology:
  buyers:   { kind: client, hosts: 2, to: edge }
  edge:     { kind: nat, ports: 20000-20099, to: balancer }   # a pool of 100 source ports
  balancer: { kind: nginx, keepalive: 16, to: shop }
  shop:     { kind: ticket-shop, hosts: 2, tickets: 2000, serviceTime: 10ms }

# A visitor looks at the event, holds a seat and checks out, with a second of thought in between. The browser keeps its
# connection all the while, and with it one port of the gateway: for about two seconds.
traffic:
  from: buyers
  journey: buy-ticket
  thinkTime: 1s
  connections: per-visitor
  arrivals:
    - { for: 3s, rate: 20/s }       # about 60 visitors: there is room
  process: poisson                  # as independent people arrive; the same seed gives the same arrivals

# Each variant changes something of the above and runs on its own.
variants:
  quiet-day: {}
  sale-day:
    traffic: { arrivals: [{ for: 3s, rate: 150/s }] }           # about 450: there is not
  sale-day-wide-pool:
    traffic: { arrivals: [{ for: 3s, rate: 150/s }] }
    topology: { edge: { ports: 1024-65535 } }

seed: 1

# What must be true for the run to pass; without \`variants\` a gate holds for all of them.
gates:
  - { gate: dropped == 0, variants: [quiet-day, sale-day-wide-pool] }
  - { gate: dropped.ports-exhausted@edge > 0, variants: [sale-day] }
`;
