/** The user's own Caddyfile made fit for the testbed: placeholders filled, our log added, files moved to the host's folders. */
import type { Endpoint } from '../../topology/plan.js';
import { type Block, blocksOf } from './caddyfile.js';
import { type CaddyFiles, logOption, ownOptions, SITE_LOG, upstreams } from './config.js';

/** Global options that the testbed decides and the user's file must not. */
const DECIDED = new Set(['admin', 'storage', 'log']);

/** Of these an image of the user's own decides itself: its command line and its folders are made for each other. */
const DECIDED_BY_IMAGE = new Set(['admin', 'storage']);

/** What the rewriting could not see to: requests may then be without a log line of their own. */
export interface AdaptedConfig {
  text: string;
  reducedAttribution?: string;
}

/** A directive that takes requests out of the log (`log_skip` since Caddy 2.8). */
const SKIPS_LOG = /^[ \t]*(?:skip_log|log_skip)\b.*$/gm;
/** One that changes the request's id, or takes it away. */
const CHANGES_ID = /^[ \t]*(?:header_up|request_header)[ \t].*X-Request-Id.*$/gim;

/**
 * Fills `{{listen}}` (the address of a site, `:port`) and `{{backends}}` (`address:port` of each); replaces `log` of every site and of the
 * global options by the testbed's own, and `admin` and `storage`; `within` an image of the user's own these two stay as they are.
 */
export function adaptConfig(
  userText: string,
  files: CaddyFiles,
  listen: Endpoint,
  backends: Endpoint[],
  within: 'testbed' | 'image' = 'testbed',
): AdaptedConfig {
  const text = userText.replaceAll('{{listen}}', `:${listen.port}`).replaceAll('{{backends}}', upstreams(backends));
  const blocks = blocksOf(text);
  const decided = (name: string) => DECIDED.has(name) && !(within === 'image' && DECIDED_BY_IMAGE.has(name));
  const options = within === 'image' ? logOption(files) : ownOptions(files);
  const edits: { start: number; end: number; text: string }[] = [];
  for (const { kind, keys, inside, directives } of blocks) {
    for (const { name, start, end } of directives)
      if (kind === 'options' ? decided(name) : name === 'log') edits.push({ start, end, text: '' });
    const added = kind === 'options' ? options : kind === 'site' && keys[0] !== 'import' ? SITE_LOG : [];
    if (added.length > 0) edits.push({ start: inside, end: inside, text: block(added) });
  }
  edits.sort((a, b) => a.start - b.start);
  let adapted = '';
  let from = 0;
  for (const edit of edits) {
    adapted += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  adapted += text.slice(from);
  const hasOptions = blocks.some(({ kind }) => kind === 'options');
  const reasons = hidden(text, blocks);
  return {
    text: hasOptions ? adapted : `{${block(options)}\n}\n\n${adapted}`,
    reducedAttribution: reasons.length > 0 ? reasons.join('; ') : undefined,
  };
}

const block = (lines: string[]) => lines.map((line) => `\n\t${line}`).join('');

/** What the log will not tell of. */
function hidden(text: string, blocks: Block[]): string[] {
  const linesOf = (directive: RegExp) => [...text.matchAll(directive)].map(([line]) => line.trim());
  const snippets = new Set(blocks.flatMap(({ kind, keys }) => (kind === 'snippet' ? [keys[0].slice(1, -1)] : [])));
  const imported = linesOf(/^[ \t]*import[ \t].*$/gm).map((line) => line.split(/\s+/)[1]);
  const foreign = imported.filter((name) => !snippets.has(name));
  return [
    ...(foreign.length > 0 ? [`what imported files set is not seen: ${foreign.join(', ')}`] : []),
    ...linesOf(SKIPS_LOG).map((line) => `\`${line}\` takes requests out of the log`),
    ...linesOf(CHANGES_ID).map((line) => `\`${line}\` takes the request's id from its tries`),
  ];
}
