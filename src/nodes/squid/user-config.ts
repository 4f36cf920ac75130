/** The user's own squid.conf made fit for the testbed: placeholders filled, our logs added, what belongs to the machine left out. */
import { usageError } from '../../errors.js';
import type { Endpoint } from '../../topology/plan.js';
import type { SquidSpec } from '../squid.js';
import { ownDirectives, peerLines, type SquidFiles } from './config.js';

/** Directives that the testbed decides and the user's file must not. */
const DECIDED = new Set([
  'access_log',
  'cache_access_log',
  'buffered_logs',
  'cache_log',
  'cache_store_log',
  'debug_options',
  'pid_filename',
  'unique_hostname',
  'coredump_dir',
  'netdb_filename',
  'pinger_enable',
  'shutdown_lifetime',
  'cache_effective_user',
  'cache_effective_group',
  'workers',
]);

/** Where relative paths of includes lie, as with the distributions' own configuration. */
const CONFIG_FOLDER = '/etc/squid';

/** Header access rules that keep the request's id from the backends' logs. */
const HIDES_ID = /^request_header_(?:access\s+(?:X-Request-Id|All|Other)\s+deny|replace\s+X-Request-Id\s)/i;

/** What the rewriting could not see to: requests may then be without a log line of their own. */
export interface AdaptedConfig {
  text: string;
  reducedAttribution?: string;
}

/**
 * Fills `{{listen}}` (address:port) and `{{backends}}` (`cache_peer` lines); leaves out logs, users and files that are the testbed's to
 * decide and puts its own last, so that squid's words on a mistake name the user's own lines; relative includes are taken from /etc/squid.
 * @throws PortPartyError (exit 2) at `where` for a cache on disk
 */
export function adaptConfig(
  userText: string,
  spec: SquidSpec,
  files: SquidFiles,
  listen: Endpoint,
  backends: Endpoint[],
  sources: string[],
  where: string,
): AdaptedConfig {
  const text = userText
    .replaceAll('{{listen}}', `${listen.address}:${listen.port}`)
    .replaceAll('{{backends}}', peerLines(spec, backends, sources.slice(0, 1)));
  const reasons: string[] = [];
  const kept = directives(text).flatMap((directive): string[] => {
    const [name, ...words] = directive.trim().split(/\s+/);
    if (DECIDED.has(name) || (name === 'logformat' && words[0] === 'portparty')) return [''];
    if (name === 'cache_dir')
      throw usageError('the testbed has no cache on disk', where, 'leave out `cache_dir`: squid then caches in memory');
    if (HIDES_ID.test(directive.trim()))
      reasons.push(`\`${directive.trim()}\` takes the request's id from the backends`);
    if (name !== 'include') return [directive];
    reasons.push(`what included files set is not seen: ${words.join(' ')}`);
    return [`include ${words.map((path) => (path.startsWith('/') ? path : `${CONFIG_FOLDER}/${path}`)).join(' ')}`];
  });
  return {
    text: `${kept.join('\n')}\n${ownDirectives(files)}`,
    reducedAttribution: reasons.length > 0 ? reasons.join('; ') : undefined,
  };
}

/** The lines of a squid.conf; what a backslash continues is one, with empty ones behind it. */
function directives(text: string): string[] {
  const lines: string[] = [];
  let continued = 0;
  for (const line of text.split(/\r?\n/)) {
    const before = continued > 0 ? lines.length - continued : -1;
    const goesOn = line.endsWith('\\');
    const words = goesOn ? line.slice(0, -1) : line;
    if (before < 0) lines.push(words);
    else {
      lines[before] += ` ${words.trim()}`;
      lines.push('');
    }
    continued = goesOn ? continued + 1 : 0;
  }
  return lines;
}
