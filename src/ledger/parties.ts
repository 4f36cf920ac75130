/** Who takes part in one request: the client host, the host that it asks, and the id that both know it by. */
import { requestId } from '../traffic/engine.js';
import type { CaseFile } from './case-file.js';

/** Names that belong to one row. */
export interface Parties {
  client: string;
  target: string;
  targetNode: string;
  id: string;
}

/** The hosts of this row, and the id of its last try. */
export function parties(file: CaseFile, row: number): Parties {
  const { outcomes: out, traffic } = file;
  const client = traffic.clients[out.client[row]];
  const target = client.targets[out.target[row]].host;
  const visitor = Math.floor(row / out.steps);
  const id = requestId(traffic.idPrefix, visitor, row - visitor * out.steps, Math.max(0, out.attempts[row] - 1));
  return { client: client.host, target, targetNode: file.host(target).node, id };
}
