/** The user's own haproxy.cfg made fit for the testbed: placeholders filled, our log added, paths and users of the machine left out. */
import type { Endpoint } from '../../topology/plan.js';
import { backendLines, frontendLines, globalLines, type HaproxyFiles, ringSection, serverLines } from './config.js';

/** A section and the indices of its lines. */
interface Section {
  /** `global`, `defaults`, `frontend`, … */
  kind: string;
  name: string;
  /** The `defaults` that its heading names, `frontend web from shared`. */
  from: string | undefined;
  /** Index of its heading. */
  at: number;
  /** Its own lines, comments and empty ones left out. */
  lines: { at: number; words: string[] }[];
}

const SECTIONS = new Set([
  'global',
  'defaults',
  'frontend',
  'backend',
  'listen',
  'peers',
  'resolvers',
  'mailers',
  'userlist',
  'cache',
  'program',
  'http-errors',
  'ring',
  'log-forward',
  'fcgi-app',
]);

/** What the testbed decides in `global`. */
const DECIDED_GLOBALS = new Set([
  'log',
  'log-tag',
  'log-send-hostname',
  'daemon',
  'master-worker',
  'chroot',
  'user',
  'group',
  'uid',
  'gid',
  'pidfile',
]);

/** What would hide a line of the log, or change its form, in every other section. */
const LOGGING = new Set(['log', 'log-format', 'log-format-sd', 'error-log-format', 'log-tag']);
const LOGGING_OPTIONS = new Set([
  'httplog',
  'tcplog',
  'httpslog',
  'dontlognull',
  'dontlog-normal',
  'logasap',
  'log-separate-errors',
  'log-health-checks',
]);

/** The text, and what the rewriting could not see to: requests may then be without a log line of their own. */
export interface AdaptedConfig {
  text: string;
  reducedAttribution?: string;
}

/**
 * Fills `{{listen}}` (address:port) and `{{backends}}` (a `server name address:port` line per backend, each with what stands behind the
 * placeholder); replaces everything about logs by the testbed's own, and leaves out users, paths and sockets of the machine. Nothing
 * that haproxy does with a request is changed.
 */
export function adaptConfig(
  userText: string,
  files: HaproxyFiles,
  listen: Endpoint,
  backends: Endpoint[],
  sources: string[],
): AdaptedConfig {
  const lines = userText.replaceAll('{{listen}}', `${listen.address}:${listen.port}`).split('\n');
  const sections = readSections(lines);
  const dropped = new Set<number>();
  const added = new Map<number, string[]>();
  const modes = modesOf(sections);
  for (const section of sections) {
    for (const { at, words } of section.lines) if (isDecided(section, words)) dropped.add(at);
    const again = section.kind === 'global' && section !== sections.find(({ kind }) => kind === 'global');
    const ours = again ? [] : ownLines(section, modes.get(section)!, files);
    if (ours.length > 0) added.set(section.at, ours);
  }
  const text = lines.flatMap((line, index) => {
    if (dropped.has(index)) return [];
    const filled = line.includes('{{backends}}') ? fillBackends(line, backends, sources) : [line];
    return [...filled, ...(added.get(index) ?? []).map((own) => `  ${own}`)];
  });
  if (!sections.some(({ kind }) => kind === 'global'))
    text.unshift('global', ...globalLines(files).map((own) => `  ${own}`));
  const blind = sections.filter(
    (section) => (section.kind === 'frontend' || section.kind === 'listen') && modes.get(section) !== 'http',
  );
  return {
    text: `${text.join('\n')}\n\n${ringSection(files)}`,
    reducedAttribution:
      blind.length > 0
        ? `no log line per request where haproxy forwards plain TCP: ${blind.map(({ name }) => name).join(', ')}`
        : undefined,
  };
}

function readSections(lines: string[]): Section[] {
  const sections: Section[] = [];
  for (const [at, line] of lines.entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0].startsWith('#')) continue;
    if (SECTIONS.has(words[0]) && !/^\s/.test(line))
      sections.push({
        kind: words[0],
        name: words[1] ?? '',
        from: words[2] === 'from' ? words[3] : undefined,
        at,
        lines: [],
      });
    else sections.at(-1)?.lines.push({ at, words });
  }
  return sections;
}

/** `tcp` or `http` of each section: its own, else that of the defaults that it takes; haproxy's own default is tcp. */
function modesOf(sections: Section[]): Map<Section, string> {
  const modes = new Map<Section, string>();
  const named = new Map<string, string>();
  let last = 'tcp';
  for (const section of sections) {
    const own = section.lines.findLast(({ words }) => words[0] === 'mode')?.words[1];
    const inherited = section.from === undefined ? undefined : named.get(section.from);
    const mode = own ?? inherited ?? (section.kind === 'defaults' ? 'tcp' : last);
    modes.set(section, mode);
    if (section.kind !== 'defaults') continue;
    last = mode;
    if (section.name !== '') named.set(section.name, mode);
  }
  return modes;
}

function isDecided({ kind }: Section, words: string[]): boolean {
  const [first, second, third] = words;
  if (kind === 'global') return DECIDED_GLOBALS.has(first) || (first === 'stats' && second === 'socket');
  if (LOGGING.has(first)) return true;
  if (first === 'no' && second === 'log') return true;
  if (first === 'option' && LOGGING_OPTIONS.has(second)) return true;
  if (first === 'no' && second === 'option' && LOGGING_OPTIONS.has(third)) return true;
  return first === 'http-request' && second === 'set-log-level';
}

function ownLines({ kind }: Section, mode: string, files: HaproxyFiles): string[] {
  if (kind === 'global') return globalLines(files);
  if (kind === 'backend') return backendLines();
  if (kind === 'frontend') return mode === 'http' ? frontendLines() : ['log global'];
  if (kind === 'listen')
    return mode === 'http' ? [...new Set([...frontendLines(), ...backendLines()])] : backendLines();
  return [];
}

function fillBackends(line: string, backends: Endpoint[], sources: string[]): string[] {
  const [before, behind] = line.split('{{backends}}');
  const indent = /^\s*/.exec(before)![0];
  return serverLines(backends, sources).map((server) => `${indent}server ${server}${behind}`);
}
