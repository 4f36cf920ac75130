import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { VariantRecord } from '../../src/record/run-record.js';
import { heatMap, renderHeatMap } from '../../src/report/heat-map.js';
import { renderMarkdown } from '../../src/report/markdown.js';
import { runRecord, variantRecord } from '../helpers/trials.js';

const PLAIN = pc.createColors(false);

function cell(settings: Record<string, string>, dropped: number, p99 = 10): VariantRecord {
  const variant = variantRecord(Object.values(settings).join('+'));
  const { requests, latency } = variant;
  return {
    ...variant,
    cell: settings,
    requests: { ...requests, due: 200, completed: 200 - dropped, dropped },
    latency: { ...latency, response: { ...latency.response, count: 200 - dropped, p99 } },
  };
}

const losing = [
  cell({ ports: '100', addresses: '1' }, 100),
  cell({ ports: '100', addresses: '2' }, 40),
  cell({ ports: '200', addresses: '1' }, 50),
  cell({ ports: '200', addresses: '2' }, 0),
];

describe('the heat map of a matrix', () => {
  it('has the last setting across and what was dropped in its cells, from the best of the map to the worst', () => {
    expect(heatMap([variantRecord('named'), ...losing])).toEqual({
      metric: 'dropped, and its share of what came due',
      down: 'ports',
      across: 'addresses',
      columns: ['1', '2'],
      rows: [
        {
          head: '100',
          cells: [
            { text: '100 (50%)', heat: 1 },
            { text: '40 (20%)', heat: 0.4 },
          ],
        },
        {
          head: '200',
          cells: [
            { text: '50 (25%)', heat: 0.5 },
            { text: '0', heat: 0 },
          ],
        },
      ],
    });
  });

  it('shows latencies where nothing was dropped', () => {
    const map = heatMap([cell({ keepalive: '0' }, 0, 40), cell({ keepalive: '16' }, 0, 20)]);
    expect(map).toMatchObject({ metric: 'response p99, ms', down: '', across: 'keepalive', columns: ['0', '16'] });
    expect(map!.rows).toEqual([
      {
        head: '',
        cells: [
          { text: '40', heat: 1 },
          { text: '20', heat: 0 },
        ],
      },
    ]);
  });

  it('of three settings has two of them down', () => {
    const three = losing.flatMap((variant) =>
      ['a', 'b'].map((algorithm) => ({ ...variant, cell: { ...variant.cell!, algorithm } })),
    );
    const map = heatMap(three)!;
    expect(map.down).toBe('ports, addresses');
    expect(map.rows.map(({ head }) => head)).toEqual(['100, 1', '100, 2', '200, 1', '200, 2']);
  });

  it('leaves a dash where a combination was not run', () => {
    expect(heatMap(losing.slice(0, 3))!.rows[1].cells[1]).toEqual({ text: '–', heat: null });
  });

  it('can be read without colours', () => {
    expect(renderHeatMap(losing, PLAIN).split('\n').slice(1)).toEqual([
      '  ports ↓             1            2',
      '  100       100 (50%) █   40 (20%) ▒',
      '  200        50 (25%) ▒          0 ·',
    ]);
    expect(renderHeatMap([variantRecord('named')], PLAIN)).toBe('');
  });

  it('stands in the summary in Markdown', () => {
    expect(renderMarkdown(runRecord(losing))).toContain(
      '## Matrix: dropped, and its share of what came due\n\n| ports ↓ addresses → | 1 | 2 |\n| --- | ---: | ---: |\n| 100 | 100 (50%) | 40 (20%) |\n',
    );
  });
});
