/**
 * The servers' side of a connection, on raw sockets, so that who accepts, waits and closes first is decided here and
 * nowhere else.
 *
 *     accepted -> reading -> (queued) -> serving -> answered -> reading again, or closed, or left for the client to close
 *                  idle       slot       slot                    idle
 */
import { performance } from 'node:perf_hooks';
import { C, errno, recv, send } from '../sys/libc.js';
import type { EventLoop } from './event-loop.js';
import { type BadRequest, type HttpRequest, type RequestParser, requestParser } from './http-request.js';
import { type HttpResponse, renderResponse } from './http-response.js';
import { idleList } from './idle-list.js';
import { openListener } from './listener.js';
import { type RequestLog, unixClock } from './request-log.js';
import { serviceQueue } from './service-queue.js';

/** Status of a request whose client left before the answer, as nginx logs it. */
const CLIENT_LEFT = 499;
/** Status of a request that the server's own end left without an answer. */
const UNANSWERED = 0;
const RECEIVE_BYTES = 65_536;

/** How a server listens, waits and closes. `backlog` is that of listen(2); `port` 0 takes a free one. */
export interface HttpServerOptions {
  address: string;
  port: number;
  backlog: number;
  /** Share the port with other processes (SO_REUSEPORT). */
  reusePort: boolean;
  /** Time from a whole request to its handler, ms. */
  serviceTimeMs: number;
  /** Who closes first when the request asked for no keep-alive. */
  close: 'server' | 'client';
  /** How long a connection may be idle, ms: before its first request, between two, and when the client is to close. */
  keepaliveTimeoutMs: number;
  /** Connections that may be busy at once: accepted and not answered yet, or with a later request in service. Undefined: any number. */
  workers: number | undefined;
  /** Path of the file that tells of changes while it runs; read at SIGUSR2. */
  control: string;
}

/** Answers one request, at once or later. */
export type Handler = (request: HttpRequest, answer: (response: HttpResponse) => void) => void;

/** A server that is listening. */
export interface HttpServer {
  /** The port it listens on. */
  readonly port: number;
  /** Requests that are whole from now on take this long, ms. */
  setServiceTime(ms: number): void;
  /** Closes all, logs the requests that it leaves unanswered and a summary. */
  close(): void;
}

interface Connection {
  readonly fd: number;
  readonly peer: string;
  readonly parser: RequestParser;
  state: 'reading' | 'queued' | 'serving' | 'writing' | 'left-to-client' | 'closed';
  /** The client has closed or reset its side. */
  clientLeft: boolean;
  /** Unix ms of the first byte of the request that is being read or served. */
  startedAt: number;
  request: HttpRequest | undefined;
  /** Response bytes that the kernel did not take yet. */
  unsent: Buffer | undefined;
}

const isBad = (parsed: HttpRequest | BadRequest): parsed is BadRequest => 'badStatus' in parsed;

/** Listens and serves on `loop`. Throws a testbedError where the address cannot be had. */
export function httpServer(loop: EventLoop, options: HttpServerOptions, log: RequestLog, handle: Handler): HttpServer {
  const unixNow = unixClock();
  const received = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  const connections: (Connection | undefined)[] = [];
  const idle = idleList();
  const service = serviceQueue(options.workers ?? Number.POSITIVE_INFINITY, options.serviceTimeMs);
  let acceptedCount = 0;
  let requestCount = 0;

  const listener = openListener(loop, options, service.hasRoom, accepted, (event) =>
    log.event({ t: unixNow(), ...event }),
  );

  function accepted(fd: number, peer: string): void {
    acceptedCount++;
    const connection: Connection = {
      fd,
      peer,
      parser: requestParser(),
      state: 'reading',
      clientLeft: false,
      startedAt: 0,
      request: undefined,
      unsent: undefined,
    };
    service.occupy(fd);
    connections[fd] = connection;
    idle.add(fd, performance.now());
    // Edge-triggered: a client that sends or leaves while its request is served is told once.
    if (loop.add(fd, C.EPOLLIN | C.EPOLLRDHUP | C.EPOLLET, happened) !== 0) end(connection);
  }

  function happened(fd: number, mask: number): void {
    const connection = connections[fd];
    if (connection === undefined) return;
    if (mask & C.EPOLLOUT && connection.unsent !== undefined) write(connection, connection.unsent);
    if (connection.state !== 'closed' && mask & ~C.EPOLLOUT) readAll(connection);
    settle(connection);
  }

  /** Takes all that has arrived: also what is ignored, because close(2) with unread data sends RST instead of FIN. */
  function readAll(connection: Connection): void {
    while (!connection.clientLeft) {
      const count = recv(connection.fd, received, RECEIVE_BYTES, C.MSG_DONTWAIT);
      if (count > 0) {
        if (connection.state === 'reading' && connection.parser.empty) connection.startedAt = unixNow();
        if (connection.state !== 'left-to-client') connection.parser.feed(received.toString('latin1', 0, count));
      } else if (count < 0 && errno() === C.EINTR) continue;
      else if (count < 0 && errno() === C.EAGAIN) return;
      else connection.clientLeft = true;
    }
  }

  /** Does what a connection's input allows: takes up the next request, or closes what its client has left. */
  function settle(connection: Connection): void {
    while (connection.state === 'reading') {
      const parsed = connection.parser.next();
      if (parsed === undefined) break;
      idle.remove(connection.fd);
      if (isBad(parsed)) refuse(connection, parsed);
      else {
        connection.request = parsed;
        if (service.claim(connection.fd)) serve(connection);
        else connection.state = 'queued';
      }
    }
    if (connection.clientLeft && (connection.state === 'reading' || connection.state === 'left-to-client')) {
      end(connection);
    }
  }

  function startQueued(): void {
    for (let fd = service.nextWaiting(); fd >= 0; fd = service.nextWaiting()) {
      // A connection stays open while its request waits, so the descriptor is still its own.
      const connection = connections[fd]!;
      serve(connection);
      settle(connection);
    }
  }

  function serve(connection: Connection): void {
    connection.state = 'serving';
    if (!service.begin(connection.fd)) respond(connection);
  }

  /** The service time is over. A client that has left by now gets no answer, and its request changes nothing. */
  function respond(connection: Connection): void {
    const request = connection.request!;
    const { startedAt } = connection;
    if (connection.clientLeft) {
      record(connection.peer, request, startedAt, CLIENT_LEFT, {});
      end(connection);
      return;
    }
    let returned = false;
    handle(request, (response) => {
      if (connection.state !== 'serving' || connection.request !== request) return;
      const { keepAlive, http10 } = request;
      connection.state = 'writing';
      const bytes = renderResponse(response, {
        head: request.method === 'HEAD',
        connection: keepAlive ? (http10 ? 'keep-alive' : undefined) : 'close',
      });
      const reached = !connection.clientLeft && write(connection, bytes);
      if (connection.clientLeft) end(connection);
      record(connection.peer, request, startedAt, reached ? response.status : CLIENT_LEFT, response);
      // Within handle() the caller goes on with what the client has sent behind this request.
      if (returned) settle(connection);
    });
    returned = true;
  }

  function refuse(connection: Connection, { badStatus, reason }: BadRequest): void {
    connection.state = 'writing';
    connection.request = undefined;
    write(connection, renderResponse({ status: badStatus, body: `${reason}\n` }, { head: false, connection: 'close' }));
  }

  /** Whether this server closes the connection once the present answer is sent. */
  function closesAfter({ request }: Connection): boolean {
    return request === undefined || (!request.keepAlive && options.close === 'server');
  }

  /** Sends what the kernel takes now, the rest when it can. False when the client is gone. */
  function write(connection: Connection, bytes: Buffer): boolean {
    // Held back for the FIN that follows at once, so that both leave in one segment: a client that closes as soon as it has
    // the whole answer would otherwise race this server for who closes first.
    const more = closesAfter(connection) ? C.MSG_MORE : 0;
    const count = send(connection.fd, bytes, bytes.length, C.MSG_NOSIGNAL | more);
    const sent = count < 0 && errno() === C.EAGAIN ? 0 : count;
    if (sent < 0) {
      end(connection);
      return false;
    }
    if (sent < bytes.length) {
      if (connection.unsent === undefined) {
        loop.change(connection.fd, C.EPOLLIN | C.EPOLLOUT | C.EPOLLRDHUP | C.EPOLLET);
      }
      connection.unsent = bytes.subarray(sent);
      // A client that does not read is as idle as one that does not send.
      idle.add(connection.fd, performance.now());
      return true;
    }
    if (connection.unsent !== undefined) {
      connection.unsent = undefined;
      loop.change(connection.fd, C.EPOLLIN | C.EPOLLRDHUP | C.EPOLLET);
    }
    answered(connection);
    return true;
  }

  function answered(connection: Connection): void {
    const { request } = connection;
    const closes = closesAfter(connection);
    connection.request = undefined;
    service.release(connection.fd);
    if (request === undefined || closes) {
      readAll(connection);
      end(connection);
      return;
    }
    idle.add(connection.fd, performance.now());
    connection.state = request.keepAlive ? 'reading' : 'left-to-client';
    connection.startedAt = unixNow();
  }

  function record(
    peer: string,
    request: HttpRequest,
    s: number,
    status: number,
    { logged, sessionLost, store }: Partial<HttpResponse>,
  ): void {
    if (logged === false) return;
    requestCount++;
    const { id, method, path } = request;
    log.request({
      t: unixNow(),
      s,
      id,
      peer,
      status,
      method,
      path,
      ...(sessionLost && { lost: 1 }),
      ...(store && { store }),
    });
  }

  function end(connection: Connection): void {
    connection.state = 'closed';
    service.release(connection.fd);
    idle.remove(connection.fd);
    connections[connection.fd] = undefined;
    loop.close(connection.fd);
    listener.descriptorFreed();
  }

  loop.chore((nowMs) => {
    for (let fd = service.nextOver(nowMs); fd >= 0; fd = service.nextOver(nowMs)) {
      // A connection stays open while it is served, so the descriptor is still its own.
      const connection = connections[fd]!;
      respond(connection);
      settle(connection);
    }
    const idleSince = nowMs - options.keepaliveTimeoutMs;
    while (idle.oldestSinceMs() <= idleSince) end(connections[idle.oldest()]!);
    startQueued();
    if (service.hasRoom()) listener.resume();
    return Math.min(service.nextOverMs(), idle.oldestSinceMs() + options.keepaliveTimeoutMs);
  });

  return {
    port: listener.port,
    setServiceTime: service.setServiceTime,
    close() {
      listener.close();
      for (const connection of connections) {
        if (connection === undefined) continue;
        const { peer, request, startedAt, state } = connection;
        if (request !== undefined && state !== 'writing') record(peer, request, startedAt, UNANSWERED, {});
        loop.close(connection.fd);
      }
      log.event({ t: unixNow(), kind: 'summary', accepted: acceptedCount, requests: requestCount });
    },
  };
}
