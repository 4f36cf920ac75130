/**
 * Runs every ready scenario so many times on each driver and says of each what it came to: its exit code, and how many of its lost
 * requests are unattributed. Exits 1 when a run did not exit 0 or left one unattributed.
 *
 *   npm run scenarios -- --times 5 --driver netns --driver docker [--only nat-pool]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { outputOf } from '../dist/sys/child-output.js';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '1' },
    driver: { type: 'string', multiple: true, default: ['netns', 'docker'] },
    only: { type: 'string', multiple: true },
  },
});
const names = readdirSync('scenarios')
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''))
  .filter((name) => values.only?.includes(name) ?? true);
const results = mkdtempSync(join(tmpdir(), 'portparty-scenarios-'));
let bad = 0;
for (let time = 1; time <= Number(values.times); time++)
  for (const driver of values.driver)
    for (const name of names) {
      const begin = Date.now();
      const { code, stdout, stderr } = await runOne(name, driver);
      const { unattributed, failed } = reading(stdout);
      const good = code === 0 && unattributed === 0;
      if (!good) bad++;
      const seconds = ((Date.now() - begin) / 1000).toFixed(1);
      const trouble = good ? '' : `; unattributed ${unattributed}; ${failed || stderr.trim().split('\n').at(-1)}`;
      console.log(`${good ? 'ok ' : 'BAD'} ${time} ${driver} ${name}: exit ${code}, ${seconds} s${trouble}`);
    }
rmSync(results, { recursive: true, force: true });
console.log(bad === 0 ? 'all exit 0, nothing unattributed' : `${bad} runs did not come to what they should`);
process.exitCode = bad === 0 ? 0 : 1;

function runOne(name, driver) {
  const argv = ['dist/cli/main.js', 'run', `scenarios/${name}.yaml`, '--driver', driver, '--json', '--quiet'];
  return outputOf(spawn(process.execPath, [...argv, '--out', results]), '');
}

/** What a record says of itself that it should not. */
function reading(stdout) {
  if (stdout === '') return { unattributed: 0, failed: '' };
  const { variants } = JSON.parse(stdout);
  const counts = variants.flatMap(({ requests }) => requests.byCause).filter(({ cause }) => cause === 'unattributed');
  const failed = variants.flatMap(({ name, gates, validity, generator }) => [
    ...gates.filter(({ pass }) => !pass).map(({ gate, observed }) => `${name}: ${gate} (${observed})`),
    ...validity.reasons.map((reason) => `${name}: ${reason} (late ${generator.lateP99Ms} ms)`),
  ]);
  return { unattributed: counts.reduce((sum, { count }) => sum + count, 0), failed: failed.join('; ') };
}
