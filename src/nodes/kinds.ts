/** All kinds of node: one line each. */
export { attacker } from './attacker.js';
export { caddy } from './caddy.js';
export { client } from './client.js';
export { firewall } from './firewall.js';
export { fixed } from './fixed.js';
export { haproxy } from './haproxy.js';
export { nat } from './nat.js';
export { nginx } from './nginx.js';
export { redis } from './redis.js';
export { squid } from './squid.js';
export { ticketShop } from './ticket-shop.js';
export { trafficserver } from './trafficserver.js';
export { varnish } from './varnish.js';
