/** A bar per pool of ports: in use of the capacity, the peak, and "full" in words; the fullest ones where there are many. */
import { count, plural } from '../format.js';
import { paintShare, poolBar } from './bars.js';
import type { RankedLine } from './course.js';
import { type LiveGrid, rowLine } from './grid.js';
import type { LivePool } from './state.js';
import type { LiveStyle } from './style.js';

/** Pools that have a bar of their own. */
const MOST_POOLS = 6;

/** The rows, in the order of the chain. */
export function poolLines(pools: LivePool[], grid: LiveGrid, style: LiveStyle): RankedLine[] {
  const { colors, glyphs } = style;
  const byPeak = [...pools].sort((a, b) => b.peak / b.capacity - a.peak / a.capacity);
  const shown = new Set(pools.length > MOST_POOLS ? byPeak.slice(0, MOST_POOLS - 1) : pools);
  const rest = pools.filter((pool) => !shown.has(pool));
  const rows = pools
    .filter((pool) => shown.has(pool))
    .map((pool) => {
      const { node, inUse, peak, capacity, full } = pool;
      const share = inUse / capacity;
      const paint = paintShare(share, full, colors);
      return {
        text: rowLine(
          {
            label: node,
            graph: poolBar(share, peak / capacity, grid.cells, paint, style),
            value: paint(`${count(inUse)}/${count(capacity)}`),
            note: paint(full ? 'full' : percentText(share)),
            remark: remark(pool, glyphs.dot),
          },
          grid,
          style,
        ),
        // The fullest one outlives the others.
        rank: peak >= capacity ? 3.5 : 6.5 + byPeak.indexOf(pool) / 100,
      };
    });
  if (rest.length === 0) return rows;
  const fullest = Math.max(...rest.map(({ inUse, capacity }) => inUse / capacity));
  const text = `and ${plural(rest.length, 'pool')} more, the fullest at ${Math.round(fullest * 100)}%`;
  return [...rows, { text: ' '.repeat(grid.indent) + colors.dim(text), rank: 7 }];
}

function percentText(share: number): string {
  return share > 0 && share < 0.01 ? '<1%' : `${Math.min(99, Math.round(share * 100))}%`;
}

function remark({ peak, timeWait }: LivePool, dot: string): string {
  return `peak ${count(peak)}${timeWait > 0 ? ` ${dot} ${count(timeWait)} TIME_WAIT` : ''}`;
}
