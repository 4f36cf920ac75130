/**
 * The sale's steps as one Lua script that Redis runs whole: the rules of `stock.ts`, said for a store that several processes
 * ask over connections of their own. Nothing comes between a script's reads and its writes, so nothing is ever oversold.
 */
import { createHash } from 'node:crypto';
import type { InventoryCommand, InventoryReply } from './inventory-protocol.js';
import { encodeCommand } from './resp.js';

/** Hash with a shop's numbers: `<shop>:sold`, `<shop>:holds`. */
export const SALES_KEY = 'sales';

/** A sale that is kept in Redis; several may share one store. */
export interface StoredSale {
  /** The shop's name, by which its keys begin. */
  shop: string;
  tickets: number;
  /** How long a seat stays held, ms. */
  holdTimeMs: number;
}

// Keys are made from names within the script, which a single server allows and a cluster does not.
const SCRIPT = `
local shop, total, holdMs, step, id, fresh = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sales, holding = '${SALES_KEY}', shop .. ':holding'
local function session(name) return shop .. ':session:' .. name end
local function number(field) return tonumber(redis.call('HGET', sales, shop .. ':' .. field) or '0') end
local function left() return total - number('sold') - redis.call('ZCARD', holding) end
local function refused(why) return cjson.encode({ refused = why }) end

for _, late in ipairs(redis.call('ZRANGEBYSCORE', holding, '-inf', now)) do
  redis.call('HDEL', session(late), 'hold')
  redis.call('HSET', session(late), 'expired', 1)
  redis.call('ZREM', holding, late)
end

if step == 'tally' then
  return cjson.encode({ stock = total, sold = number('sold'), held = redis.call('ZCARD', holding) })
end
local known = id ~= '' and redis.call('EXISTS', session(id)) == 1
if step == 'view' or step == 'hold-first' then
  if not known then
    id = fresh
    redis.call('HSET', session(id), 'expired', 0)
    known = true
  end
end
if step == 'view' then
  return cjson.encode({ session = id, remaining = left() })
end

if not known then return refused('session-lost') end
local ticket, hold, expired = unpack(redis.call('HMGET', session(id), 'ticket', 'hold', 'expired'))
if step == 'hold' or step == 'hold-first' then
  if ticket then return refused('already-bought') end
  if hold then return cjson.encode({ hold = tonumber(hold) }) end
  if left() <= 0 then return refused('sold-out') end
  hold = redis.call('HINCRBY', sales, shop .. ':holds', 1)
  redis.call('HSET', session(id), 'hold', hold, 'expired', 0)
  redis.call('ZADD', holding, now + holdMs, id)
  return cjson.encode({ hold = hold, session = step == 'hold-first' and id or nil })
end

if ticket then return cjson.encode({ ticket = tonumber(ticket) }) end
if not hold then return refused(expired == '1' and 'hold-expired' or 'nothing-held') end
redis.call('HDEL', session(id), 'hold')
redis.call('ZREM', holding, id)
ticket = redis.call('HINCRBY', sales, shop .. ':sold', 1)
redis.call('HSET', session(id), 'ticket', ticket)
return cjson.encode({ ticket = ticket })
`.trim();

const SCRIPT_SHA1 = createHash('sha1').update(SCRIPT).digest('hex');

/** A step as a Redis command: by the script's SHA-1, or with the whole script for a server that has not seen it yet (NOSCRIPT). */
export function saleCommand(sale: StoredSale, command: InventoryCommand, whole: boolean): string {
  const id = 'session' in command ? (command.session ?? '') : '';
  const fresh = 'fresh' in command ? command.fresh : '';
  const script = whole ? ['EVAL', SCRIPT] : ['EVALSHA', SCRIPT_SHA1];
  const words = [sale.shop, String(sale.tickets), String(sale.holdTimeMs), command.do, id, fresh];
  return encodeCommand([...script, '0', ...words]);
}

/** The script's answer. */
export function saleReply(text: string): InventoryReply {
  return JSON.parse(text) as InventoryReply;
}
