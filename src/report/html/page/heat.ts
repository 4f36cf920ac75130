/** The heat map of response times: a chart whose plane is filled by hand, so that its axis and its cursor are those of all others. */
import type uPlot from 'uplot';
import type { HeatGrid, VariantSeries } from '../page-data.js';
import { duration, plain } from './numbers.js';
import { faded } from './theme.js';

/** Lower end of a bucket, ms. */
const lowMs = ({ perDecade }: HeatGrid, bucket: number) => 10 ** (bucket / perDecade) / 1000;

/** Cells one by one. */
function* cellsOf({ cells }: HeatGrid): Generator<{ column: number; bucket: number; count: number }> {
  for (let at = 0; at < cells.length; at += 3) yield { column: cells[at], bucket: cells[at + 1], count: cells[at + 2] };
}

/** The latencies that the map reaches over, ms: whole decades. */
export function heatRange(heat: HeatGrid): [number, number] {
  const buckets = [...cellsOf(heat)].map(({ bucket }) => bucket);
  if (buckets.length === 0) return [0.1, 1000];
  const decade = (bucket: number) => Math.floor(bucket / heat.perDecade);
  return [10 ** decade(Math.min(...buckets)) / 1000, 10 ** (decade(Math.max(...buckets)) + 1) / 1000];
}

/** Fills the plane of a chart. */
export function paintHeat({ heat, binS }: VariantSeries): (chart: uPlot) => void {
  const most = Math.max(1, ...[...cellsOf(heat)].map(({ count }) => count));
  const columnS = heat.binsPerColumn * binS;
  return (chart) => {
    const { ctx, bbox } = chart;
    const x = (value: number) => Math.round(chart.valToPos(value, 'x', true));
    const y = (value: number) => Math.round(chart.valToPos(value, 'y', true));
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { column, bucket, count } of cellsOf(heat)) {
      const [left, right] = [x(column * columnS), x((column + 1) * columnS)];
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      const [top, bottom] = [y(lowMs(heat, bucket + 1)), y(lowMs(heat, bucket))];
      ctx.fillStyle = faded('--heat', 0.15 + (0.85 * Math.log1p(count)) / Math.log1p(most));
      ctx.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
    }
    ctx.restore();
  };
}

/** What the map says of a bin, in words: `312 answers, half of them within 12 ms, all within 1.3 s`. */
export function heatAt({ heat }: VariantSeries, bin: number): string {
  const column = Math.floor(bin / heat.binsPerColumn);
  const own = [...cellsOf(heat)].filter((cell) => cell.column === column).sort((a, b) => a.bucket - b.bucket);
  const total = own.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return 'no answer';
  let seen = 0;
  const half = own.find(({ count }) => {
    seen += count;
    return seen * 2 >= total;
  })!;
  const until = (bucket: number) => duration(lowMs(heat, bucket + 1));
  return `${plain(total)} ${total === 1 ? 'answer' : 'answers'}, half within ${until(half.bucket)}, all within ${until(own.at(-1)!.bucket)}`;
}
