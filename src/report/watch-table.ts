/** A sample of `portparty watch` as a screen: pools, connection table, queues, processes, warnings, and what could not be read. */
import pc from 'picocolors';
import type { AlarmEvent } from '../watch/alarms.js';
import type { ConntrackDrops, PoolSample, WatchSample } from '../watch/sample.js';
import { count, list, NOTHING, plural } from './format.js';
import { grid, INDENT } from './grid.js';
import type { Colors, TerminalOptions } from './terminal.js';
import { perSecond, poolName, until, wholePercent } from './watch-words.js';
import { visibleLength, wrap } from './wrap.js';

/** A warning that came or went, and when. */
export interface PastEvent extends AlarmEvent {
  /** UTC, as `Date.toISOString` writes it. */
  at: string;
}

/** How the screen is made. */
export interface WatchTableOptions extends TerminalOptions {
  /** Lines that there are room for; undefined for a file. */
  height?: number;
  /** From this share on a number is red, 0 to 1; from half of the way to it on it is yellow. */
  warnAt: number;
}

/** The screen, with a line end at its end. `events` are the warnings so far, the newest last. */
export function watchTable(sample: WatchSample, events: PastEvent[], options: WatchTableOptions): string {
  const colors = pc.createColors(options.color);
  const head = [...heading(sample, colors, options.width), ''];
  const facts = [...otherFacts(sample, colors, options), ...processLines(sample, options.width)];
  const notes = [
    ...warningLines(sample, events, colors, options.width),
    ...unreadableLines(sample, colors, options.width),
  ];
  // The head of the table, what is said below it, an empty line.
  const fixed = head.length + facts.length + notes.length + 4;
  const room = options.height === undefined ? sample.pools.length : Math.max(1, options.height - fixed);
  const lines = [...head, ...poolLines(sample, room, colors, options), '', ...facts, ...notes];
  return `${lines.join('\n')}\n`;
}

function heading({ host, at, ports, counted }: WatchSample, colors: Colors, width: number): string[] {
  const withheld = [
    ...(ports.reserved > 0 ? [`${count(ports.reserved)} reserved`] : []),
    ...(ports.bound > 0 ? [`${count(ports.bound)} bound`] : []),
  ];
  const pool =
    `${count(ports.capacity)} ports per destination and source address ` +
    `(${[`${ports.range.lo}-${ports.range.hi}`, ...withheld].join(', ')})`;
  const age = Math.round((Date.parse(at) - Date.parse(counted.at)) / 1000);
  const stale = age >= 1 ? `, counted ${plural(age, 'second')} ago` : '';
  const holds = `${count(counted.sockets)} in use towards ${plural(counted.pools, 'destination')}, ${count(counted.timeWait)} of them in TIME_WAIT${stale}`;
  return [
    `${colors.bold('portparty watch')}  ${host}  ${at.slice(0, 19).replace('T', ' ')} UTC`,
    ...wrap(pool, width - INDENT.length).map((line) => INDENT + line),
    ...wrap(holds, width - INDENT.length).map((line) => INDENT + line),
  ];
}

/** Why sockets in TIME_WAIT may be many where no port is taken. */
const REUSED = 'TIME_WAIT that the kernel gives to a new connection (tcp_tw_reuse) does not count as taken.';

function poolLines(
  { pools, ports, counted }: WatchSample,
  room: number,
  colors: Colors,
  options: WatchTableOptions,
): string[] {
  if (pools.length === 0) return [`${INDENT}No connection holds a port of the range.`];
  const shown = pools.slice(0, room);
  const narrow = options.width < 100;
  const name = (pool: PoolSample) => (narrow ? pool.destination : poolName(pool));
  const longest = Math.max(24, options.width - 66);
  const rows = shown.map((pool) => {
    const paint = paintShare(pool.share, options.warnAt, colors);
    return [
      shortened(name(pool), longest),
      paint(count(pool.taken)),
      paint(wholePercent(pool.share)),
      ...(narrow ? [] : [bar(pool.share)]),
      count(pool.timeWait),
      perSecond(pool.growthPerSecond),
      paint(until(pool.secondsUntilFull)),
    ];
  });
  const columns = [
    { head: narrow ? 'destination' : 'source → destination', align: 'left' as const },
    { head: 'taken', align: 'right' as const },
    { head: `of ${count(ports.capacity)}`, align: 'right' as const },
    ...(narrow ? [] : [{ head: '', align: 'left' as const }]),
    { head: 'TIME_WAIT', align: 'right' as const },
    { head: 'change', align: 'right' as const },
    { head: 'full in', align: 'right' as const },
  ];
  const hidden = counted.pools - shown.length;
  return [
    ...grid(columns, rows, 2).split('\n'),
    ...(shown.some(({ reusable }) => reusable > 0)
      ? wrap(REUSED, options.width - INDENT.length).map((line) => INDENT + colors.dim(line))
      : []),
    ...(hidden > 0 ? [INDENT + colors.dim(`and ${plural(hidden, 'destination')} with fewer`)] : []),
  ];
}

function otherFacts(sample: WatchSample, colors: Colors, { width, warnAt }: WatchTableOptions): string[] {
  const { sockets, opened, conntrack, listening } = sample;
  const table = () => {
    if (conntrack === null) return NOTHING;
    const { entries, limit, share, growthPerSecond, secondsUntilFull, drops } = conntrack;
    const parts = [
      paintShare(share, warnAt, colors)(`${count(entries)} of ${count(limit)} (${wholePercent(share)})`),
      perSecond(growthPerSecond),
      ...(secondsUntilFull === null
        ? []
        : [`full ${secondsUntilFull === 0 ? 'now' : `in ${until(secondsUntilFull)}`}`]),
      drops === null ? 'drops not readable' : dropsText(drops),
    ];
    return parts.join(' · ');
  };
  const queue = listening.fullest;
  const rows = [
    [
      'sockets',
      `${count(sockets.inUse)} in use · ${count(sockets.timeWait)} in TIME_WAIT · ${count(sockets.orphans)} orphaned · ` +
        `${opened.perSecond === null ? NOTHING : count(opened.perSecond)} opened/s`,
    ],
    ['conntrack', table()],
    [
      'listening',
      `${count(listening.overflows)} queue overflows, ${count(listening.drops)} turned away (${perSecond(listening.dropsPerSecond)})` +
        (queue === null ? '' : ` · fullest queue ${queue.address} ${count(queue.queued)}/${count(queue.backlog)}`),
    ],
  ];
  return rows.flatMap(([label, text]) => labelled(label, text, width));
}

function dropsText({ drop, earlyDrop, insertFailed }: ConntrackDrops): string {
  if (drop + earlyDrop + insertFailed === 0) return 'nothing dropped';
  return `${count(drop)} dropped, ${count(earlyDrop)} thrown out early, ${count(insertFailed)} not inserted`;
}

function processLines({ processes, counted }: WatchSample, width: number): string[] {
  const label = 'processes';
  if (processes === null) return labelled(label, NOTHING, width);
  const top = processes.top.map(
    ({ command, pid, ports, estimated }) => `${command} (pid ${pid}) ${estimated ? '~' : ''}${count(ports)}`,
  );
  const rest = [
    ...(processes.unseen > 0 ? [`not seen ${count(processes.unseen)}`] : []),
    ...(counted.timeWait > 0 ? [`no process any more ${count(counted.timeWait)}`] : []),
  ];
  const age = Math.round((Date.now() - Date.parse(processes.at)) / 1000);
  const stale = age >= 2 ? `, as of ${until(age)} ago` : '';
  return labelled(label, `${[...top, ...rest].join(' · ') || NOTHING}${stale}`, width);
}

/** What stands, since when, and the last three that are over. */
function warningLines({ warnings }: WatchSample, events: PastEvent[], colors: Colors, width: number): string[] {
  const over = events.filter(({ kind }) => kind === 'cleared').slice(-3);
  if (warnings.length === 0 && over.length === 0) return [];
  const standing = warnings.flatMap((text) => {
    const raised = events.findLast(({ kind, text: of }) => kind === 'raised' && subject(of) === subject(text));
    const since = raised === undefined ? '' : ` (since ${raised.at.slice(11, 19)})`;
    return wrap(text + since, width - INDENT.length - 2).map(
      (line, index) => `${INDENT}${index === 0 ? colors.red('!') : ' '} ${colors.red(line)}`,
    );
  });
  const past = over.map(
    ({ at, text }) =>
      INDENT + colors.dim(shortened(`over at ${at.slice(11, 19)}: ${subject(text)}`, width - INDENT.length)),
  );
  return ['', ...standing, ...past];
}

/** What a warning is about, without its numbers. */
function subject(text: string): string {
  return text.slice(0, text.indexOf(': '));
}

function unreadableLines({ unreadable }: WatchSample, colors: Colors, width: number): string[] {
  if (unreadable.length === 0) return [];
  return [
    '',
    ...wrap(`not readable: ${list(unreadable)}`, width - INDENT.length).map((line) => INDENT + colors.dim(line)),
  ];
}

function labelled(label: string, text: string, width: number): string[] {
  const indent = INDENT.length + 11;
  return wrapPainted(text, width - indent).map((line, index) => INDENT + (index === 0 ? label : '').padEnd(11) + line);
}

/** Wraps at the dots between facts, so that colours stay whole. */
function wrapPainted(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of text.split(' · ')) {
    const last = lines.at(-1);
    if (last === undefined || visibleLength(last) + 3 + visibleLength(part) > width) lines.push(part);
    else lines[lines.length - 1] = `${last} · ${part}`;
  }
  return lines;
}

const BAR_CELLS = 10;

function bar(share: number): string {
  const full = Math.min(BAR_CELLS, Math.floor(share * BAR_CELLS));
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}`;
}

function paintShare(share: number, warnAt: number, colors: Colors): (text: string) => string {
  if (share >= warnAt) return colors.red;
  return share >= warnAt / 2 ? colors.yellow : (text) => text;
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
