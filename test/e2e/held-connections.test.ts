/** More connections held at once than one process may have descriptors: several send them, and every one is counted. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../src/record/run-record.js';
import { finished, MAIN, scenarioFile, scratch } from '../helpers/portparty.js';

/** Runs a scenario with so many descriptors for each process, that of its servers included. */
async function recordWith(descriptors: number, text: string): Promise<RunRecord> {
  const folder = scratch();
  const command = [
    process.execPath,
    MAIN,
    'run',
    scenarioFile(folder, text),
    '--out',
    join(folder, 'results'),
    '--json',
    '--quiet',
  ];
  const child = spawn('sh', ['-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh', ...command], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', HOME: folder },
  });
  const { code, stdout, stderr } = await finished(child);
  if (!stdout.startsWith('{')) throw new Error(`exit ${code}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout) as RunRecord;
}

it.each([
  { held: 9000, descriptors: 4000, servers: 3, perSecond: 1500, processes: 3 },
  { held: 30_000, descriptors: 20_000, servers: 2, perSecond: 2000, processes: 2 },
])(
  '$held connections are held at once where a process may have $descriptors descriptors',
  async ({ held, descriptors, servers, perSecond, processes }) => {
    const seconds = held / perSecond;
    const { variants } = await recordWith(
      descriptors,
      `
name: held
topology:
  buyers: { kind: client, ports: 10000-60000, to: shop }
  shop: { kind: fixed, hosts: ${servers}, close: client }
traffic:
  from: buyers
  journey: hold
  holdFor: ${seconds + 20}s
  arrivals: [{ for: ${seconds}s, rate: ${perSecond}/s }]
  process: uniform
  maxLateness: 60s
  timeout: { connect: 60s, response: 60s }
`,
    );
    const [{ requests, visitors, ports, generator, validity, cpu }] = variants;
    expect(validity).toEqual({ valid: true, reasons: [] });
    expect(requests).toMatchObject({ due: held, completed: held, dropped: 0 });
    expect(visitors).toMatchObject({ arrived: held });
    // Towards each server as many as towards the other.
    expect(ports.buyers.peak).toBe(held / servers);
    expect(generator.ownFailures).toBe(0);
    expect(generator.notes).toContain(`sent by ${processes} processes`);
    // What they took of the processors is the harness's; a sample may come a moment after the first request.
    expect(cpu?.harness.cpuSeconds).toBeGreaterThan(0.9 * generator.cpuSeconds);
  },
);
