/** Which descriptor is served when: so many may be busy at once, later requests wait for a place, and each service takes its time. */
import { performance } from 'node:perf_hooks';
import { type DeadlineQueue, deadlineQueue } from '../deadline-queue.js';

/** Places at the head of the queue that are given back together. */
const QUEUE_SLACK = 1024;

/** The places of one server and who waits for them. Times are ms of performance.now(). */
export interface ServiceQueue {
  /** Whether one more may be busy. */
  hasRoom(): boolean;
  /** Gives it a place; an accepted connection has one before its first request. */
  occupy(fd: number): void;
  /** Takes the place back; nothing happens when it has none. */
  release(fd: number): void;
  /** For a request that is to be served: true when it has a place or gets one; else it waits from now on, as all are taken or others wait already. */
  claim(fd: number): boolean;
  /** The one that has waited longest, with a place of its own now; -1 when nobody waits or there is no room. */
  nextWaiting(): number;
  /** Begins its service. False when that takes no time: it is over. */
  begin(fd: number): boolean;
  /** One whose service is over at `nowMs`, which is told once; -1 when there is none. It must stay open until then. */
  nextOver(nowMs: number): number;
  /** When the next service is over; Infinity when none is under way. */
  nextOverMs(): number;
  /** Services that begin from now on take this long, ms. */
  setServiceTime(ms: number): void;
}

/** Nobody is busy and nobody waits. `places`: how many may be busy at once. */
export function serviceQueue(places: number, firstServiceTimeMs: number): ServiceQueue {
  let serviceTimeMs = firstServiceTimeMs;
  const isBusy: boolean[] = [];
  let busy = 0;
  /** Requests on kept connections that wait for a place, in order. */
  const queue: number[] = [];
  let queueHead = 0;
  /** One queue per service time that there was: in each all lie equally far ahead, so the first to be added is the first to be due. */
  let services: DeadlineQueue[] = [deadlineQueue()];

  const hasRoom = () => busy < places;

  function occupy(fd: number): void {
    isBusy[fd] = true;
    busy++;
  }

  return {
    hasRoom,
    occupy,
    release(fd) {
      if (!isBusy[fd]) return;
      isBusy[fd] = false;
      busy--;
    },
    claim(fd) {
      if (!isBusy[fd] && hasRoom() && queueHead === queue.length) occupy(fd);
      if (isBusy[fd]) return true;
      queue.push(fd);
      return false;
    },
    nextWaiting() {
      if (hasRoom() && queueHead < queue.length) {
        const fd = queue[queueHead++];
        occupy(fd);
        return fd;
      }
      if (queueHead === queue.length || queueHead > QUEUE_SLACK) {
        queue.splice(0, queueHead);
        queueHead = 0;
      }
      return -1;
    },
    begin(fd) {
      if (serviceTimeMs <= 0) return false;
      services.at(-1)!.add(performance.now() + serviceTimeMs, fd, 0);
      return true;
    },
    nextOver(nowMs) {
      for (const due of services) {
        if (due.first() > nowMs) continue;
        const fd = due.subject();
        due.remove();
        return fd;
      }
      return -1;
    },
    nextOverMs: () => Math.min(...services.map((due) => due.first())),
    setServiceTime(ms) {
      serviceTimeMs = ms;
      services = [...services.filter((due) => due.first() !== Number.POSITIVE_INFINITY), deadlineQueue()];
    },
  };
}
