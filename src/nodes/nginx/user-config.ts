/** The user's own nginx.conf made fit for the testbed: placeholders filled, our logs added, paths moved to the host's folders. */
import type { Endpoint } from '../../topology/plan.js';
import type { NginxSpec } from '../nginx.js';
import {
  accessLogDirective,
  fileDirectives,
  httpDirectives,
  mainDirectives,
  type NginxFiles,
  serverLines,
} from './config.js';

/** A directive of the text, from its name to its `;` or `{`. */
interface Directive {
  name: string;
  words: string[];
  start: number;
  /** Behind the closing character. */
  end: number;
  /** Number of the block that it stands in; 0 is the main level. */
  inside: number;
  /** Number of the block that it opens. */
  opens: number | undefined;
}

/** Where relative paths of includes lie, as with the distributions' own configuration. */
const CONFIG_FOLDER = '/etc/nginx';

/** Included files that hold tables, parameters and modules but no logs. */
const HARMLESS_INCLUDE = /(mime\.types|_params|modules-enabled\/.*)$/;

/** Directives that the testbed decides and the user's file must not. */
const DECIDED = new Set([
  'user',
  'daemon',
  'pid',
  'error_log',
  'lock_file',
  // Refusals must be logged at a level that the error log shows.
  'limit_conn_log_level',
  'limit_req_log_level',
  'client_body_temp_path',
  'proxy_temp_path',
  'fastcgi_temp_path',
  'uwsgi_temp_path',
  'scgi_temp_path',
]);

/** Of these an image of the user's own decides itself: its command line and its users are made for each other. */
const DECIDED_BY_IMAGE = new Set(['user', 'daemon']);

/** What the rewriting could not see to: requests may then be without a log line of their own. */
export interface AdaptedConfig {
  text: string;
  reducedAttribution?: string;
}

/**
 * Fills `{{listen}}` (address:port) and `{{backends}}` (`server address:port …;` lines); replaces `access_log` and `error_log` at every
 * level by the testbed's own, and `user`, `daemon`, `pid` and temporary paths at main level; relative includes are taken from /etc/nginx.
 * `within` an image of the user's own, `user` and `daemon` stay as they are.
 */
export function adaptConfig(
  userText: string,
  spec: Pick<NginxSpec, 'maxFails' | 'failTimeout' | 'backendConnections'>,
  files: NginxFiles,
  listen: Endpoint,
  backends: Endpoint[],
  within: 'testbed' | 'image' = 'testbed',
): AdaptedConfig {
  const text = userText
    .replaceAll('{{listen}}', `${listen.address}:${listen.port}`)
    .replaceAll('{{backends}}', serverLines(spec, backends).trim());
  const directives = readDirectives(text);
  const edits: { start: number; end: number; text: string }[] = [];
  const foreign: string[] = [];
  // A second access_log of ours in one block would have every request written twice.
  const logged = new Set<number>();
  for (const { name, words, start, end, inside, opens } of directives) {
    const kept = within === 'image' && DECIDED_BY_IMAGE.has(name);
    if (DECIDED.has(name) && !kept) edits.push({ start, end, text: '' });
    if (name === 'access_log') {
      edits.push({ start, end, text: logged.has(inside) ? '' : accessLogDirective(files) });
      logged.add(inside);
    }
    if (name === 'http' && opens !== undefined) {
      edits.push({ start: end, end, text: `\n${httpDirectives(files)}` });
      logged.add(opens);
    }
    if (name === 'include') {
      const path = words[0] ?? '';
      if (!HARMLESS_INCLUDE.test(path)) foreign.push(path);
      if (!path.startsWith('/')) edits.push({ start, end, text: `include ${CONFIG_FOLDER}/${path};` });
    }
  }
  let adapted = '';
  let from = 0;
  for (const edit of edits) {
    adapted += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return {
    text: (within === 'image' ? fileDirectives(files) : mainDirectives(files)) + adapted + text.slice(from),
    reducedAttribution:
      foreign.length > 0 ? `logs set in included files are not seen: ${foreign.join(', ')}` : undefined,
  };
}

/** The directives of an nginx.conf in their order; `http` also where it holds others. */
function readDirectives(text: string): Directive[] {
  const directives: Directive[] = [];
  // A comment, a quoted word, a closing character, or a plain word (`${name}` included).
  const token = /#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[;{}]|(?:\$\{\w+\}|\\.|[^\s;{}"'#\\])+/gs;
  let words: string[] = [];
  let start = 0;
  let blocks = 0;
  const open = [0];
  for (const match of text.matchAll(token)) {
    const word = match[0];
    if (word.startsWith('#')) continue;
    if (word !== ';' && word !== '{' && word !== '}') {
      if (words.length === 0) start = match.index;
      words.push(word.replace(/^(["'])(.*)\1$/s, '$2'));
      continue;
    }
    const inside = open.at(-1) ?? 0;
    const opens = word === '{' ? ++blocks : undefined;
    if (words.length > 0)
      directives.push({ name: words[0], words: words.slice(1), start, end: match.index + 1, inside, opens });
    if (opens !== undefined) open.push(opens);
    if (word === '}') open.pop();
    words = [];
  }
  return directives;
}
