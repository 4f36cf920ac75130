/** What is wrong with a tuning is told by its option, with what would be right, before anything is started. */
import { describe, expect, it } from 'vitest';
import { portparty, scenarioFile, scratch } from '../helpers/portparty.js';

const SCENARIO = `
name: office
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 20000-20099, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  arrivals: [{ for: 1s, rate: 100/s }]
`;

describe('portparty tune', () => {
  for (const [args, message] of [
    [['--try', 'topology.edge.ports'], '--try topology.edge.ports: there is no `=` and no value'],
    [
      ['--try', 'topology.egde.ports=1-2'],
      '--try topology.egde.ports=1-2: there is no node `egde`\n  hint: did you mean `edge`?',
    ],
    [['--try', 'topology.edge.ports=5'], '--try topology.edge.ports=5: `ports`: '],
    [
      ['--try', 'traffic.close=server', '--try', 'traffic.close=server'],
      "--try 'traffic.close=server': it stands there twice",
    ],
    [['--metric', 'droped'], '--metric droped: '],
    [
      ['--metric', 'ports.proxy.peak'],
      '--metric ports.proxy.peak: there is no node `proxy`\n  hint: nodes are: buyers, edge, shop',
    ],
    [['--trials', '0'], '--trials 0: expected at least 1'],
    [['--variant', 'tuned'], '--variant tuned: there is no variant `tuned`'],
  ] as const)
    it(`refuses ${args.join(' ')}`, async () => {
      const folder = scratch();
      const { code, stdout, stderr } = await portparty(['tune', scenarioFile(folder, SCENARIO), ...args], {
        cwd: folder,
      });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(message);
    });
});
