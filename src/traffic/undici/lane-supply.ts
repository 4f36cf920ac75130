/** Which lane a request takes: a new one each time, its visitor's own, or a free one of its client host's pool. */
import type { TrafficPlan } from '../engine.js';
import { closeLane, type Lane, type LaneEvents, openLane } from './lane.js';

/** The lanes of all client hosts. `host` is the index of a client, `row` that of a request in the outcomes. */
export interface LaneSupply {
  /** A lane for a request of `visitor` from the client host, or undefined while all of its pool are busy. */
  take(host: number, visitor: number): Lane | undefined;
  /** Queues a request for the next free lane of the host's pool, first come, first served. */
  wait(host: number, row: number): void;
  /** Takes a request out of the queue; false when it was not in there. */
  stopWaiting(host: number, row: number): boolean;
  /** A request has ended; an unusable lane is replaced. Returns the waiting request that comes next, if any. */
  giveBack(lane: Lane, visitor: number, usable: boolean): { lane: Lane; row: number } | undefined;
  /** The visitor sends nothing more: closes its own lane, where it has one. */
  visitorEnds(visitor: number): void;
  /** Closes every lane, and with it fails what is under way. */
  closeAll(): void;
}

/** The supply that a plan asks for. */
export function laneSupply(plan: TrafficPlan, events: LaneEvents): LaneSupply {
  const { clients, connections } = plan;
  const reset = plan.close === 'reset';
  const nextTarget = clients.map(() => 0);
  const open = new Set<Lane>();

  function newLane(host: number): Lane {
    const lane = openLane(clients, host, nextTarget[host]++ % clients[host].targets.length, events);
    open.add(lane);
    return lane;
  }

  function discard(lane: Lane): void {
    open.delete(lane);
    closeLane(lane, reset);
  }

  const closeAll = () => open.forEach(discard);

  if (connections.mode === 'pooled') {
    const free: Lane[][] = clients.map(() => []);
    const waiting: Set<number>[] = clients.map(() => new Set());
    const size: number[] = clients.map(() => 0);
    return {
      closeAll,
      visitorEnds() {},
      take(host) {
        const lane = free[host].pop();
        if (lane !== undefined || size[host] === connections.size) return lane;
        size[host]++;
        return newLane(host);
      },
      wait: (host, row) => waiting[host].add(row),
      stopWaiting: (host, row) => waiting[host].delete(row),
      giveBack(lane, _visitor, usable) {
        if (!usable) discard(lane);
        const kept = usable ? lane : newLane(lane.host);
        const [row] = waiting[lane.host];
        if (row !== undefined) {
          waiting[lane.host].delete(row);
          return { lane: kept, row };
        }
        free[lane.host].push(kept);
        return undefined;
      },
    };
  }

  const ofVisitor = new Map<number, Lane>();
  return {
    closeAll,
    visitorEnds(visitor) {
      const lane = ofVisitor.get(visitor);
      ofVisitor.delete(visitor);
      if (lane !== undefined) discard(lane);
    },
    take(host, visitor) {
      const lane = ofVisitor.get(visitor) ?? newLane(host);
      ofVisitor.set(visitor, lane);
      return lane;
    },
    wait() {},
    stopWaiting: () => false,
    giveBack(lane, visitor, usable) {
      if (usable) return undefined;
      ofVisitor.delete(visitor);
      discard(lane);
      return undefined;
    },
  };
}
