/** What a sending thread has to do at its moment, beside the arrivals: time-outs and ends of connections, think times and next tries of visitors. */
import { type DeadlineQueue, deadlineQueue } from '../../deadline-queue.js';

/** Timers of one thread. Of `connect`, `response` and `hold` the subjects are descriptors with their generations; of `think` and `retry`, rows. */
export interface SendingTimers {
  /** Ends of the time that a handshake has. */
  connect: DeadlineQueue;
  /** Ends of the time that an answer, or the server's FIN behind it, has. */
  response: DeadlineQueue;
  /** Ends of connections that are held. */
  hold: DeadlineQueue;
  /** When the next requests of visitors who think are due. */
  think: DeadlineQueue;
  /** When lost requests are tried again. */
  retry: DeadlineQueue;
  /** The first moment of all, ns; Infinity where there is none. */
  next(): number;
  /** Forgets all that are set. */
  clear(): void;
  /** Does what is due at `atNs`. */
  fire(atNs: number, whenDue: WhenDue): void;
}

/** What is done when a timer is due. */
export interface WhenDue {
  /** Whether a connection is open and the one that the timer was set for. */
  stillThere(fd: number, generation: number): boolean;
  /** Its handshake has taken too long. */
  connect(fd: number): void;
  /** Its answer, or the FIN behind it, has taken too long; or that of an earlier request would have. */
  response(fd: number): void;
  /** It has been held for long enough. */
  hold(fd: number): void;
  /** This request is due. */
  think(row: number, dueNs: number): void;
  /** This request is tried again. */
  retry(row: number): void;
}

/** Timers of which none is set. */
export function sendingTimers(): SendingTimers {
  const connect = deadlineQueue();
  const response = deadlineQueue();
  const hold = deadlineQueue();
  const think = deadlineQueue();
  const retry = deadlineQueue();

  function ofConnections(queue: DeadlineQueue, atNs: number, { stillThere }: WhenDue, due: (fd: number) => void): void {
    while (queue.first() <= atNs) {
      const fd = queue.subject();
      const same = stillThere(fd, queue.generation());
      queue.remove();
      if (same) due(fd);
    }
  }

  return {
    connect,
    response,
    hold,
    think,
    retry,
    next: () => Math.min(connect.first(), response.first(), hold.first(), think.first(), retry.first()),
    clear() {
      for (const queue of [connect, response, hold, think, retry]) queue.clear();
    },
    fire(atNs, whenDue) {
      ofConnections(connect, atNs, whenDue, whenDue.connect);
      ofConnections(response, atNs, whenDue, whenDue.response);
      ofConnections(hold, atNs, whenDue, whenDue.hold);
      while (think.first() <= atNs) {
        const row = think.subject();
        const dueNs = think.first();
        think.remove();
        whenDue.think(row, dueNs);
      }
      while (retry.first() <= atNs) {
        const row = retry.subject();
        retry.remove();
        whenDue.retry(row);
      }
    },
  };
}
