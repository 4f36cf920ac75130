/**
 * Program of the `ticket-shop` node: one worker of the shop. The stock and the sessions are the inventory's, so that any
 * worker on any host serves any visitor (docs/ticket-shop.md has the API and the measured limit).
 */
import { eventLoop } from './event-loop.js';
import { type HttpServerOptions, httpServer } from './http-server.js';
import { inventoryClient } from './inventory-client.js';
import { onChange, program, programOptions, runUntilSignal, tellListening } from './program.js';
import { type RedisInventoryOptions, redisInventory } from './redis-inventory.js';
import { requestLog, unixClock } from './request-log.js';
import { type SessionPage, shopHandler } from './shop-handler.js';

/** The program's one argument, as JSON. */
export interface TicketShopOptions extends HttpServerOptions {
  /** Path of the inventory's unix socket, or how Redis is asked. */
  inventory: string | RedisInventoryOptions;
  sessionAt: SessionPage;
  /** Sessions are known to this process only. */
  localSessions: boolean;
  /** What comparing a password takes, ms of this process. */
  hashTimeMs: number;
  /** Path of the request log, shared by the workers of a host. */
  log: string;
}

/** How long a worker waits at its start for an inventory that is started at the same time. */
const INVENTORY_PATIENCE_MS = 5_000;

await program(async () => {
  const options = programOptions<TicketShopOptions>();
  const loop = eventLoop();
  const log = requestLog(options.log);
  const unixNow = unixClock();
  const inventory =
    typeof options.inventory === 'string'
      ? await inventoryClient(loop, options.inventory, INVENTORY_PATIENCE_MS, (text) =>
          log.event({ t: unixNow(), kind: 'inventory', text }),
        )
      : redisInventory(loop, options.inventory);
  const server = httpServer(loop, options, log, shopHandler(inventory, options));
  loop.chore(inventory.chore);
  loop.chore(log.chore);
  onChange<Partial<TicketShopOptions>>(options.control, ({ serviceTimeMs }) => {
    if (serviceTimeMs !== undefined) server.setServiceTime(serviceTimeMs);
  });
  tellListening(options.address, server.port);
  await runUntilSignal(loop);
  // First of all what is still asked: how far it came is told with its request.
  if (typeof options.inventory !== 'string') inventory.close();
  server.close();
  if (typeof options.inventory === 'string') inventory.close();
  log.close();
});
