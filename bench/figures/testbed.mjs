/**
 * A netns testbed of four hosts – client, gateway, proxy, server, without daemons – up and down.
 *
 *     node bench/figures/testbed.mjs [--quick] [--rounds N] [--json]
 */
import { atMost, row, runAlone } from '../lib/figure.mjs';
import { percentile } from '../lib/numbers.mjs';
import { timesOfTestbed } from '../testbed.mjs';

export const figure = {
  id: 'testbed',
  title: 'A testbed of four hosts, up and down',
  how: 'Client, gateway, proxy and server as network namespaces joined by virtual cables, with addresses, routes and sysctls, without daemons; until every link is up, and until all is gone. In one process, as the trials of a run are.',
  tools: [],
  defaults: { rounds: 20, seconds: 0 },
};

export async function measure({ rounds }) {
  const times = await timesOfTestbed(rounds);
  const of = (key) => times.map((one) => one[key]);
  return {
    rows: [
      row({
        id: 'testbed.together',
        name: 'netns testbed of 4 hosts, up and down together',
        unit: 'ms',
        goal: atMost(150, ' ms'),
        rounds: of('totalMs'),
      }),
    ],
    tables: [
      {
        title: 'ms',
        head: ['', 'median', 'first', 'most'],
        rows: [
          ['up', 'upMs'],
          ['down', 'downMs'],
          ['together', 'totalMs'],
        ].map(([name, key]) => [name, percentile(of(key), 0.5), times[0][key], percentile(of(key), 1)]),
      },
    ],
    runs: times,
  };
}

await runAlone(import.meta, figure, measure);
