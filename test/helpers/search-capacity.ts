/** Searches for capacity on real testbeds. */
import { join } from 'node:path';
import type { CapacityRecord } from '../../src/record/capacity-record.js';
import { type Finished, portparty, scenarioFile, scratch } from './portparty.js';

/**
 * Connections of two seconds through 500 ports: 250 a second. A stalled generator makes bursts of them that no such pool carries, the less so
 * the longer a connection lasts; trials in which it was late must not count.
 */
export const POOL = `
name: pool
topology:
  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: 20000-20499, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 2s
  arrivals: [{ for: 2s, rate: 200/s }]
  maxLateness: 20ms
  timeout: { connect: 3s }
`;

/** Searches the capacity of a scenario given as text; `dir` is the folder of its record. */
export async function searchCapacity(
  text: string,
  args: string[],
): Promise<Finished & { record: CapacityRecord; dir: string }> {
  const folder = scratch();
  const file = scenarioFile(folder, text);
  const out = join(folder, 'results');
  const result = await portparty(['capacity', file, '--out', out, '--json', ...args], { cwd: folder });
  if (!result.stdout.startsWith('{')) throw new Error(`exit ${result.code}\n${result.stdout}\n${result.stderr}`);
  const record = JSON.parse(result.stdout) as CapacityRecord;
  return { ...result, record, dir: join(out, record.id) };
}
