/** Reads back from a run's folder what its daemons ran with: the resolved chain of a variant and the configuration of each node's first host. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../errors.js';
import type { RenderedVariant } from '../report/export/export.js';
import { chainsOf } from './find-request.js';
import { trialName } from './run-files.js';

/** The files of a host that are configurations and not logs. */
const CONFIGURATION = /\.(conf|cfg|config|vcl|nft)$|^Caddyfile$/;

/**
 * Of the first trial of the variant that came to send anything; trials of a variant run with the same configuration.
 * @throws PortPartyError (exit 2) when the run kept none
 */
export function readRendered(dir: string, variant: string): RenderedVariant {
  const chain = chainsOf(dir).find((one) => one.variant === variant);
  if (chain === undefined)
    throw usageError(
      `the record has no chain of the variant "${variant}"`,
      join(dir, 'chains.ndjson'),
      'repeat the run with this version',
    );
  const logs = join(dir, 'logs', trialName(variant, chain.trial));
  const files = Object.entries(chain.nodes).map(([node, { hosts }]): [string, Record<string, string>] => [
    node,
    configurationsIn(join(logs, hosts[0].name)),
  ]);
  return { chain: { nodes: chain.nodes, traffic: chain.traffic }, files: Object.fromEntries(files) };
}

function configurationsIn(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder).filter((name) => CONFIGURATION.test(name) && statSync(join(folder, name)).isFile());
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
