/** Which of our own images a plan's hosts run in. */
import { kindOf } from '../../nodes/registry.js';
import type { Plan, PlannedHost } from '../../topology/plan.js';
import type { Daemon } from './daemon.js';
import { whyNotDirect } from './reach.js';
import { wiresOf } from './wires.js';

/** The image of a host. One with an image of the user's own is an idle container that holds the network for it. */
export function imageOf({ spec }: Pick<PlannedHost, 'spec'>): string {
  return spec.image === undefined ? kindOf(spec.kind).image : 'client';
}

/** All images of a plan, those beside its hosts included. */
export function imagesFor(plan: Plan, daemon: Daemon): string[] {
  const names = new Set(plan.hosts.map(imageOf));
  if (wiresOf(plan).length > 0) names.add('gateway');
  if (whyNotDirect(daemon) !== undefined) names.add('agent');
  return [...names];
}
