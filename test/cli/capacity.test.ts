/** What is wrong with a search for capacity is told by its option, with what would be right, before anything is started. */
import { describe, expect, it } from 'vitest';
import { portparty, scenarioFile, scratch } from '../helpers/portparty.js';

const SCENARIO = `
name: office
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  arrivals: [{ for: 1s, rate: 100/s }]
`;
const VARIANTS = `${SCENARIO}variants: { one: {}, two: {} }\n`;
const CLOSED = SCENARIO.replace('rate: 100/s', 'connections: 5');

async function refusal(text: string, args: string[]): Promise<string> {
  const folder = scratch();
  const { code, stdout, stderr } = await portparty(['capacity', scenarioFile(folder, text), ...args], { cwd: folder });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  return stderr;
}

describe('portparty capacity', () => {
  it('asks which variant', async () => {
    expect(await refusal(VARIANTS, [])).toContain('which of its 2 variants?\n  hint: name one: --variant one | two');
  });

  for (const [args, message] of [
    [['--need', '900'], '--need 900: "900" is not a rate\n  hint: write it like 600/s'],
    [['--of', 'connections', '--need', '9/s'], '--need 9/s: "9/s" is not a level\n  hint: write it like --need 900'],
    [['--gate', 'dropped=0'], '--gate \'dropped=0\': no comparison "="\n  hint: write =='],
    [
      ['--gate', 'dropped@sho == 0'],
      "--gate 'dropped@sho == 0': there is no node `sho`\n  hint: nodes are: buyers, shop",
    ],
    [['--resolution', '0%'], '--resolution 0%: expected a share between 0% and 100%'],
    [['--from', '1/s'], '--from 1/s: a trial of 5 s would see fewer than 10 visitors\n  hint: begin at 2/s'],
    [['--up-to', '50/s', '--from', '60/s'], '--up-to 50/s: it is below the first level'],
    [['--of', 'visitors', '--for', '5s'], "--for: a burst lasts as long as the scenario's phases say"],
    [['--max', '0'], '--max 0: expected at least one trial'],
  ] as const)
    it(`refuses ${args.join(' ')}`, async () => {
      expect(await refusal(SCENARIO, [...args])).toContain(message);
    });

  it('scales no burst in closed loop', async () => {
    expect(await refusal(CLOSED, ['--of', 'visitors'])).toContain('the arrivals have no rates to be scaled');
  });
});
