/** How many tickets a trial has sold, told by whatever kept the stock of each shop. */
import { readSales } from '../nodes/redis.js';
import { readTickets } from '../nodes/ticket-shop.js';
import type { Testbed } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';

/** Seats that there were to sell, and those that were bought. */
export interface SoldTickets {
  stock: number;
  sold: number;
}

/** The sum over all shops; undefined where there are none, or where a store ended and took its numbers with it. */
export async function soldTickets(testbed: Testbed, plan: Plan): Promise<SoldTickets | undefined> {
  const shops = plan.hosts.filter((host) => host.kind === 'ticket-shop' && host.index === 0);
  if (shops.length === 0) return undefined;
  const sum: SoldTickets = { stock: 0, sold: 0 };
  for (const sale of await Promise.all(shops.map((shop) => saleOf(testbed, plan, shop)))) {
    if (sale === undefined) return undefined;
    sum.stock += sale.stock;
    sum.sold += sale.sold;
  }
  return sum;
}

async function saleOf(
  testbed: Testbed,
  plan: Plan,
  { name, node, spec }: PlannedHost,
): Promise<SoldTickets | undefined> {
  if (spec.kind !== 'ticket-shop' || spec.inventory === 'memory')
    return (await readTickets(testbed.hosts.get(name)!)) ?? { stock: 0, sold: 0 };
  const [store] = plan.targets[name];
  const sold = await readSales(testbed.hosts.get(store.host)!, node);
  return sold === undefined ? undefined : { stock: spec.tickets, sold };
}
