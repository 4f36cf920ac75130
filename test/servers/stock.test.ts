import { describe, expect, it } from 'vitest';
import { checkOut, holdSeat, newStock, remaining, type Stock, tally, viewEvent } from '../../src/servers/stock.js';
import { randomNumbers } from './random-numbers.js';

const visit = (stock: Stock, id: string, now = 0) => viewEvent(stock, now, undefined, id).session;

describe('a sale', () => {
  it('goes from the event page over a held seat to a ticket', () => {
    const stock = newStock(2, 1000);
    const a = visit(stock, 'a');
    expect(holdSeat(stock, 0, a)).toEqual({ hold: 1 });
    expect(tally(stock, 0)).toEqual({ stock: 2, sold: 0, held: 1 });
    expect(checkOut(stock, 0, a)).toEqual({ ticket: 1 });
    expect(tally(stock, 0)).toEqual({ stock: 2, sold: 1, held: 0 });
  });

  it('keeps a visitor in the known session, and begins a new one for an unknown cookie', () => {
    const stock = newStock(1, 1000);
    visit(stock, 'a');
    expect(viewEvent(stock, 0, 'a', 'b').session).toBe('a');
    expect(viewEvent(stock, 0, 'forged', 'b').session).toBe('b');
  });

  it('refuses the seat that is not there, and sessions that it does not know', () => {
    const stock = newStock(1, 1000);
    holdSeat(stock, 0, visit(stock, 'a'));
    expect(holdSeat(stock, 0, visit(stock, 'b'))).toEqual({ refused: 'sold-out' });
    expect(holdSeat(stock, 0, 'x')).toEqual({ refused: 'session-lost' });
    expect(checkOut(stock, 0, 'x')).toEqual({ refused: 'session-lost' });
    expect(checkOut(stock, 0, 'b')).toEqual({ refused: 'nothing-held' });
  });

  it('gives a repeated request the same seat and the same ticket', () => {
    const stock = newStock(5, 1000);
    const a = visit(stock, 'a');
    expect(holdSeat(stock, 0, a)).toEqual(holdSeat(stock, 1, a));
    expect(checkOut(stock, 2, a)).toEqual(checkOut(stock, 3, a));
    expect(holdSeat(stock, 4, a)).toEqual({ refused: 'already-bought' });
    expect(tally(stock, 4)).toEqual({ stock: 5, sold: 1, held: 0 });
  });

  it('returns a seat to the stock the moment its hold expires, not before', () => {
    const stock = newStock(1, 1000);
    const [a, b] = [visit(stock, 'a'), visit(stock, 'b')];
    holdSeat(stock, 0, a);
    expect(holdSeat(stock, 999, b)).toEqual({ refused: 'sold-out' });
    expect(holdSeat(stock, 1000, b)).toEqual({ hold: 2 });
    expect(checkOut(stock, 1000, a)).toEqual({ refused: 'hold-expired' });
  });
});

/** The same rules said naively, over plain arrays, to compare with. */
function referenceSale(total: number, holdMs: number) {
  const holds = new Map<string, number>();
  const tickets = new Map<string, number>();
  const live = (now: number) => [...holds].filter(([, until]) => until > now);
  return {
    hold(now: number, id: string) {
      if (tickets.has(id)) return 'already-bought';
      if ((holds.get(id) ?? 0) > now) return 'held';
      if (live(now).length + tickets.size >= total) return 'sold-out';
      holds.set(id, now + holdMs);
      return 'held';
    },
    checkOut(now: number, id: string) {
      const ticket = tickets.get(id);
      if (ticket !== undefined) return ticket;
      if ((holds.get(id) ?? 0) <= now) return holds.has(id) ? 'hold-expired' : 'nothing-held';
      holds.delete(id);
      tickets.set(id, tickets.size + 1);
      return tickets.size;
    },
    tally: (now: number) => ({ stock: total, sold: tickets.size, held: live(now).length }),
  };
}

describe('in any order of holds, checkouts and expiries', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))('nothing is oversold or lost (seed %i)', (seed) => {
    const random = randomNumbers(seed);
    const total = random(12);
    const holdMs = 1 + random(30);
    const visitors = 1 + random(25);
    const stock = newStock(total, holdMs);
    const reference = referenceSale(total, holdMs);
    for (let index = 0; index < visitors; index++) visit(stock, `v${index}`);
    let now = 0;
    for (let step = 0; step < 300; step++) {
      now += random(4);
      const id = `v${random(visitors)}`;
      if (random(3) > 0) {
        const result = holdSeat(stock, now, id);
        expect('hold' in result ? 'held' : result.refused).toBe(reference.hold(now, id));
      } else {
        const result = checkOut(stock, now, id);
        expect('ticket' in result ? result.ticket : result.refused).toBe(reference.checkOut(now, id));
      }
      const { sold, held } = tally(stock, now);
      expect({ stock: total, sold, held }).toEqual(reference.tally(now));
      if (sold + held > total) throw new Error(`oversold at step ${step}: ${sold} sold, ${held} held of ${total}`);
      expect(remaining(stock)).toBe(total - sold - held);
    }
  });
});
