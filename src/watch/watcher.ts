/** The watch itself: looks at this network namespace again and again, counts when it may and when it must, and says what it sees. */
import { hostname } from 'node:os';
import { PortPartyError } from '../errors.js';
import { type AlarmEvent, alarms } from './alarms.js';
import { cpuBudget } from './budget.js';
import {
  conntrackCondition,
  FORECAST_FROM,
  lossWatch,
  poolCondition,
  turnedAwayText,
  type WarnLines,
} from './conditions.js';
import { readDropsByNetlink } from './conntrack-drops.js';
import { secondsUntil } from './forecast.js';
import { type KernelFacts, openFacts, readPortSettings } from './kernel-facts.js';
import { poolTrends, rounded } from './pool-trends.js';
import { type PortPool, portPool } from './port-pool.js';
import { countByProcess } from './processes.js';
import type { ConntrackDrops, ListenerSample, PoolSample, WatchSample } from './sample.js';
import { openSocketCounting, type SocketCount } from './socket-count.js';
import { trend } from './trend.js';

/** What to look at, and how much it may cost. */
export interface WatcherOptions {
  /** As many pools and processes are in a sample. */
  top: number;
  lines: WarnLines;
  /** CPU that counting may take on average, as a share of a core (0.004 is 0.4 %). */
  cpuShare: number;
}

/** One look: the sample, and the warnings that have come and gone with it. */
export interface Look {
  sample: WatchSample;
  events: AlarmEvent[];
}

/** An open watch. */
export interface Watcher {
  /** Looks now. With `everything` sockets and processes are counted whatever it costs. Throws a PortPartyError (exit 3) where the kernel refuses. */
  look(everything?: boolean): Promise<Look>;
  /** Ends it. */
  close(): void;
}

/** The processes are looked through at most so often, s, and for at most this part of the budget. */
const PROCESSES_EVERY = 10;
const PROCESSES_PART = 0.25;

/** The last count, as values that outlive it. */
interface Counted {
  at: string;
  seconds: number;
  cpuMs: number;
  ports: PortPool;
  pools: PoolSample[];
  sockets: number;
  timeWait: number;
  rows: number;
  fullest: ListenerSample | null;
  opened: number;
}

/** What is remembered of the look before. */
interface Before {
  seconds: number;
  opened: number;
  listenDrops: number;
  conntrackDrops: number;
}

/** Opens a watch of the network namespace of this process. */
export function openWatcher({ top, lines, cpuShare }: WatcherOptions): Watcher {
  const counting = openSocketCounting();
  const kernel = openFacts();
  const budget = cpuBudget(cpuShare);
  const standing = alarms();
  const trends = poolTrends();
  const tableTrend = trend();
  const begun = { seconds: now(), cpuMs: cpuMs() };
  let booked = begun;
  let counted: Counted | undefined;
  let processes: { seen: WatchSample['processes']; seconds: number; cpuMs: number; closed: number } | undefined;
  let before: Before | undefined;
  const turnedAway = lossWatch('listening');
  const untracked = lossWatch('conntrack drops');
  let netlinkRefusal: string | undefined;

  function book(): void {
    const at = { seconds: now(), cpuMs: cpuMs() };
    budget.book((at.seconds - booked.seconds) * 1000, at.cpuMs - booked.cpuMs);
    booked = at;
  }

  /** Whether a pool can have come near a line since the last count, or is there already. */
  function isUrgent(seconds: number, opened: number): boolean {
    if (counted === undefined || standing.standing().length > 0) return true;
    const { pools, ports } = counted;
    const most = pools[0] === undefined ? 0 : pools[0].share * ports.capacity;
    const line = (most < FORECAST_FROM * ports.capacity ? FORECAST_FROM : lines.at) * ports.capacity;
    // Each connect() takes at most one port: no pool can have grown by more than all of them together.
    if (most + (opened - counted.opened) >= line) return true;
    const soonest = Math.min(...pools.map((pool) => pool.secondsUntilFull ?? Number.POSITIVE_INFINITY));
    return seconds - counted.seconds >= soonest / 4;
  }

  function mayCount({ cpuMs: costMs, seconds: at }: Counted, seconds: number, opened: number): boolean {
    return budget.affords(costMs, (seconds - at) * 1000, isUrgent(seconds, opened));
  }

  function count(seconds: number, opened: number, thorough: boolean): SocketCount {
    const cpuBefore = cpuMs();
    // The moment from which on nothing that happened is missed.
    const at = new Date().toISOString();
    const settings = readPortSettings();
    const found = counting.count(settings.range, thorough);
    const ports = portPool(settings.range, settings.reserved, found.bound);
    const pools = trends.take(found.table, ports.capacity, settings.reuse, seconds);
    const { sockets, timeWait, fullest } = found;
    const rows = found.table.rows;
    counted = { at, seconds, cpuMs: cpuMs() - cpuBefore, ports, pools, sockets, timeWait, rows, fullest, opened };
    return found;
  }

  async function lookThroughProcesses(inodes: ReadonlySet<number>, exact: boolean): Promise<void> {
    const cpuBefore = cpuMs();
    const { processes: all, unseen, closed } = await countByProcess(inodes, exact);
    const seen = { at: new Date().toISOString(), top: all.slice(0, top), unseen };
    processes = { seen, seconds: now(), cpuMs: cpuMs() - cpuBefore, closed };
  }

  /** undefined where neither way leads to the counters. */
  function conntrackDrops(facts: KernelFacts): ConntrackDrops | undefined {
    if (facts.conntrack === undefined || facts.conntrackDrops !== undefined || netlinkRefusal !== undefined)
      return facts.conntrackDrops;
    try {
      return readDropsByNetlink();
    } catch (error) {
      if (!(error instanceof PortPartyError)) throw error;
      netlinkRefusal = error.message;
      return undefined;
    }
  }

  async function look(everything = false): Promise<Look> {
    book();
    const seconds = now();
    const facts = kernel.read();
    const { opened, listenDrops } = facts;
    if (everything || counted === undefined || mayCount(counted, seconds, opened)) {
      const sinceProcesses = seconds - (processes?.seconds ?? Number.NEGATIVE_INFINITY);
      const processPause = Math.max(PROCESSES_EVERY, (processes?.cpuMs ?? 0) / (cpuShare * PROCESSES_PART * 1000));
      const withProcesses = everything || sinceProcesses >= processPause;
      const { inodes } = count(seconds, opened, withProcesses);
      if (withProcesses) await lookThroughProcesses(inodes, everything);
    }
    const { at, cpuMs: countCpuMs, ports, pools, sockets, timeWait, rows, fullest } = counted as Counted;

    const drops = conntrackDrops(facts);
    const conntrack = facts.conntrack === undefined ? null : tableSample(facts.conntrack, drops, seconds);
    const droppedPackets = drops === undefined ? 0 : drops.drop + drops.insertFailed;
    const filling = [
      ...pools.map((pool) => poolCondition(pool, ports.capacity, lines, () => processes?.seen?.top[0])),
      ...(conntrack === null ? [] : [conntrackCondition(conntrack, lines)]),
    ];
    // A warning names who holds the ports now, not who held them a while ago.
    if (standing.wouldRaise(filling) && (processes?.seconds ?? 0) < seconds)
      await lookThroughProcesses(counting.count(ports.range, true).inodes, everything);
    const events = standing.judge([
      ...filling,
      turnedAway(listenDrops, seconds, () => turnedAwayText(listenDrops, fullest)),
      untracked(droppedPackets, seconds, () => `packets dropped by connection tracking: ${droppedPackets} since boot`),
    ]);
    const perSecond = (value: number, past: number | undefined) =>
      before === undefined || past === undefined ? null : rounded((value - past) / (seconds - before.seconds), 2);
    const watched = now() - begun.seconds;
    const sample: WatchSample = {
      schema: 'portparty/watch@1',
      at: new Date().toISOString(),
      host: hostname(),
      ports,
      counted: { at, cpuMs: rounded(countCpuMs, 2), sockets, timeWait, pools: rows },
      pools: pools.slice(0, top),
      sockets: facts.sockets,
      opened: { total: opened, perSecond: perSecond(opened, before?.opened) },
      listening: {
        overflows: facts.listenOverflows,
        drops: listenDrops,
        dropsPerSecond: perSecond(listenDrops, before?.listenDrops),
        fullest,
      },
      conntrack,
      processes: processes?.seen ?? null,
      warnings: standing.standing(),
      unreadable: unreadable(conntrack),
      cpuShare: before === undefined ? null : rounded((cpuMs() - begun.cpuMs) / 1000 / watched, 5),
    };
    before = { seconds, opened, listenDrops, conntrackDrops: droppedPackets };
    return { sample, events };
  }

  function tableSample(
    { count: entries, max: limit }: { count: number; max: number },
    drops: ConntrackDrops | undefined,
    seconds: number,
  ): NonNullable<WatchSample['conntrack']> {
    tableTrend.add(seconds, entries);
    const growthPerSecond = rounded(tableTrend.perSecond(), 2);
    // A limit of 0 is none.
    const share = limit > 0 ? rounded(entries / limit, 6) : 0;
    const secondsUntilFull = limit > 0 ? rounded(secondsUntil(limit, entries, growthPerSecond), 1) : null;
    return { entries, limit, share, growthPerSecond, secondsUntilFull, drops: drops ?? null };
  }

  function unreadable(conntrack: WatchSample['conntrack']): string[] {
    const missing: string[] = [];
    if (conntrack === null)
      missing.push('connection table: this kernel tracks no connections here (module nf_conntrack is not loaded)');
    else if (conntrack.drops === null)
      missing.push(
        `drops of the connection table: ${netlinkRefusal ?? 'not shown by this kernel'}; root can read them`,
      );
    if (processes !== undefined && processes.closed > 0)
      missing.push(
        `${processes.closed} processes of other users, and with them the owners of ${processes.seen?.unseen ?? 0} ports; root can read them`,
      );
    return missing;
  }

  return {
    look,
    close() {
      counting.close();
      kernel.close();
    },
  };
}

/** Seconds of a clock that only goes forward. */
function now(): number {
  return performance.now() / 1000;
}

/** CPU of this process so far, user and system, ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
