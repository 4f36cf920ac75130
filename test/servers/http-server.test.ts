import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalHosts, localHosts } from './local-host.js';
import { answers, type RawClient, rawClient } from './raw-client.js';
import { acceptQueue, eventually, runFixed, TcpState, tcpTable } from './running-fixed.js';
import { slowReader } from './slow-reader.js';

const GET = 'GET /event HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_AND_CLOSE = 'GET /event HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n';
const identified = (id: string) => `GET /event HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\n\r\n`;

let hosts: LocalHosts;
beforeAll(() => {
  hosts = localHosts();
});
afterAll(() => hosts.dispose());

describe('an answer', () => {
  it('has status, length and body, and its request is logged with id, peer and times', async () => {
    const server = await runFixed(hosts, { status: 503 });
    const client = rawClient(server.port);
    const before = Date.now();
    client.socket.write(identified('r.7.0'));
    const text = await client.until(answers(1));
    expect(text).toBe('HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n');
    const peer = `127.0.0.1:${client.socket.localPort}`;
    const { requests, events, code } = await server.end();
    expect(code).toBe(0);
    expect(requests).toMatchObject([{ id: 'r.7.0', peer, status: 503, method: 'GET', path: '/event' }]);
    expect(requests[0].s).toBeGreaterThanOrEqual(before - 1);
    expect(requests[0].t).toBeGreaterThanOrEqual(requests[0].s);
    expect(requests[0].t).toBeLessThanOrEqual(Date.now() + 1);
    expect(events).toMatchObject([{ kind: 'summary', accepted: 1, requests: 1 }]);
  });

  it('comes for a request in single bytes, and for requests sent ahead, in their order', async () => {
    const server = await runFixed(hosts);
    const client = rawClient(server.port);
    await client.connected;
    client.socket.setNoDelay(true);
    for (const byte of identified('bytes')) client.socket.write(byte);
    await client.until(answers(1));
    client.socket.write(identified('a') + identified('b') + identified('c'));
    await client.until(answers(4));
    const { requests } = await server.end();
    expect(requests.map(({ id }) => id)).toEqual(['bytes', 'a', 'b', 'c']);
  });

  it('waits for a client that does not read yet, and is then complete', async () => {
    const server = await runFixed(hosts);
    const requests = 50_000;
    const client = slowReader(server.port, 4096);
    client.send('GET / HTTP/1.1\r\n\r\n'.repeat(requests));
    const answered = async () => (await server.log()).requests.length;
    // A connection that is served behind it shows that the server has gone as far as it can, and serves others meanwhile.
    const other = rawClient(server.port);
    other.socket.write(GET_AND_CLOSE);
    expect(await other.closed).toBe('fin');
    await eventually(async () => (await answered()) > 1);
    expect(await answered()).toBeLessThan(requests);
    let text = '';
    await eventually(() => {
      text += client.read();
      return text.length >= requests * ANSWER.length;
    });
    client.close();
    expect(text).toBe(ANSWER.repeat(requests));
  });

  it('without a body has none: HEAD, 204', async () => {
    const server = await runFixed(hosts, { status: 204 });
    const client = rawClient(server.port);
    client.socket.write(GET_AND_CLOSE);
    expect(await client.closed).toBe('fin');
    expect(client.text).toBe('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    const other = await runFixed(hosts);
    const head = rawClient(other.port);
    head.socket.write('HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(await head.closed).toBe('fin');
    expect(head.text).toMatch(/Content-Length: 3\r\n(.+\r\n)*\r\n$/);
  });

  it('to what is no HTTP is 400, and the connection ends', async () => {
    const server = await runFixed(hosts, { close: 'client' });
    const client = rawClient(server.port);
    client.socket.write('hello\r\n\r\n');
    expect(await client.closed).toBe('fin');
    expect(client.text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });
});

describe('keep-alive', () => {
  it('is the rule in HTTP/1.1, and the exception in HTTP/1.0', async () => {
    const server = await runFixed(hosts);
    const kept = rawClient(server.port);
    kept.socket.write(GET);
    await kept.until(answers(1));
    kept.socket.write(GET);
    await kept.until(answers(2));
    const asked = rawClient(server.port);
    asked.socket.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(await asked.until(answers(1))).toContain('Connection: keep-alive\r\n');
    asked.socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(await asked.closed).toBe('fin');
    expect(answers(2)(asked.text)).toBe(true);
  });

  it('ends by FIN when the connection was idle for too long', async () => {
    const server = await runFixed(hosts, { keepaliveTimeoutMs: 30 });
    const client = rawClient(server.port);
    client.socket.write(GET);
    expect(await client.closed).toBe('fin');
    expect(answers(1)(client.text)).toBe(true);
  });
});

/** Which side's socket of this connection is in TIME_WAIT. */
function timeWaitSide(serverPort: number, clientPort: number): 'server' | 'client' | undefined {
  for (const { localPort, remotePort, state } of tcpTable()) {
    if (state !== TcpState.timeWait) continue;
    if (localPort === serverPort && remotePort === clientPort) return 'server';
    if (localPort === clientPort && remotePort === serverPort) return 'client';
  }
  return undefined;
}

describe('who closes first', () => {
  it('is the server: FIN right after the answer, TIME_WAIT on its side', async () => {
    const server = await runFixed(hosts, { close: 'server' });
    const client = rawClient(server.port);
    client.socket.write(GET_AND_CLOSE);
    expect(await client.closed).toBe('fin');
    const { localPort } = client.socket;
    client.socket.end();
    await eventually(() => timeWaitSide(server.port, localPort!) !== undefined);
    expect(timeWaitSide(server.port, localPort!)).toBe('server');
  });

  it('is the client, when the server leaves it to it: TIME_WAIT on its side', async () => {
    const server = await runFixed(hosts, { close: 'client' });
    const client = rawClient(server.port);
    client.socket.write(GET_AND_CLOSE);
    await client.until(answers(1));
    const { localPort } = client.socket;
    client.socket.end();
    expect(await client.closed).toBe('fin');
    await eventually(() => timeWaitSide(server.port, localPort!) !== undefined);
    expect(timeWaitSide(server.port, localPort!)).toBe('client');
  });

  it('is the server after all, when the client does not for the keep-alive time', async () => {
    const server = await runFixed(hosts, { close: 'client', keepaliveTimeoutMs: 30 });
    const client = rawClient(server.port);
    client.socket.write(GET_AND_CLOSE);
    expect(await client.closed).toBe('fin');
    expect(answers(1)(client.text)).toBe(true);
  });

  it('with FIN, not RST, although the client has sent more than was read', async () => {
    const server = await runFixed(hosts, { close: 'server', serviceTimeMs: 20 });
    const client = rawClient(server.port);
    client.socket.write(GET_AND_CLOSE + 'x'.repeat(100_000));
    expect(await client.closed).toBe('fin');
    expect(answers(1)(client.text)).toBe(true);
  });
});

describe('a limit of workers', () => {
  it('of 1 with a backlog of 16 takes 18 connections: one in service, 17 in the accept queue', async () => {
    const server = await runFixed(hosts, { workers: 1, backlog: 16, serviceTimeMs: 60_000 });
    const open = (): RawClient => {
      const client = rawClient(server.port);
      client.socket.write(GET);
      return client;
    };
    const first = open();
    await first.connected;
    await eventually(() => acceptQueue(server.port) === 0);
    const clients = [first, ...Array.from({ length: 39 }, open)];
    const states = () => tcpTable().filter((row) => row.remotePort === server.port);
    await eventually(() => states().length === clients.length);
    // On loopback a SYN has met the listener before connect(2) returns: what is SYN_SENT now was dropped.
    expect(states().filter((row) => row.state === TcpState.established)).toHaveLength(18);
    expect(states().filter((row) => row.state === TcpState.synSent)).toHaveLength(22);
    expect(acceptQueue(server.port)).toBe(17);
    for (const { socket } of clients) socket.destroy();
  });

  it('frees the next place when an answer is out, and serves the accept queue to its end', async () => {
    const server = await runFixed(hosts, { workers: 2, serviceTimeMs: 5 });
    const clients = Array.from({ length: 20 }, () => rawClient(server.port));
    for (const { socket } of clients) socket.write(GET_AND_CLOSE);
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 'fin'));
    expect(clients.every(({ text }) => answers(1)(text))).toBe(true);
  });

  it('makes later requests of kept connections wait for each other', async () => {
    const serviceTimeMs = 30;
    const server = await runFixed(hosts, { workers: 1, serviceTimeMs });
    const clients = Array.from({ length: 4 }, () => rawClient(server.port));
    for (const client of clients) client.socket.write(identified('first'));
    await Promise.all(clients.map((client) => client.until(answers(1))));
    for (const client of clients) client.socket.write(identified('second'));
    await Promise.all(clients.map((client) => client.until(answers(2))));
    const { requests } = await server.end();
    const second = requests.filter(({ id }) => id === 'second').map(({ t }) => t);
    expect(second).toHaveLength(4);
    for (let index = 1; index < second.length; index++) {
      expect(second[index] - second[index - 1]).toBeGreaterThanOrEqual(serviceTimeMs - 0.1);
    }
  });
});

describe('a client that leaves', () => {
  it('before its answer is logged with 499', async () => {
    const server = await runFixed(hosts, { serviceTimeMs: 50 });
    const client = rawClient(server.port);
    client.socket.write(identified('impatient'));
    await client.connected;
    client.socket.end();
    await eventually(async () => (await server.log()).requests.length > 0);
    expect((await server.log()).requests).toMatchObject([{ id: 'impatient', status: 499 }]);
  });
});

describe('an end by SIGTERM', () => {
  it('logs the requests that it leaves unanswered', async () => {
    const server = await runFixed(hosts, { serviceTimeMs: 60_000 });
    const client = rawClient(server.port);
    client.socket.write(identified('in-service'));
    await client.connected;
    await eventually(() => acceptQueue(server.port) === 0);
    // Answered at once, as it is refused: the request before it has been read by then.
    const probe = rawClient(server.port);
    probe.socket.write('nonsense\r\n\r\n');
    await probe.closed;
    const { requests, code } = await server.end();
    expect(code).toBe(0);
    expect(requests).toMatchObject([{ id: 'in-service', status: 0 }]);
  });
});

describe('without a free descriptor', () => {
  it('it says so, leaves connections in the accept queue, and serves them when descriptors fall free', async () => {
    const server = await runFixed(hosts, {}, 48);
    const clients = Array.from({ length: 60 }, () => rawClient(server.port));
    for (const { socket } of clients) socket.write(GET);
    await Promise.all(clients.map(({ connected }) => connected));
    await eventually(async () => (await server.log()).events.length > 0);
    const [event] = (await server.log()).events;
    expect(event).toMatchObject({ kind: 'file-limit', text: 'accept4: EMFILE' });
    const left = acceptQueue(server.port);
    expect(left).toBeGreaterThan(0);
    const served = () => clients.filter(({ text }) => answers(1)(text));
    await eventually(() => served().length === clients.length - left);
    const serveAndLeave = async (client: RawClient) => {
      await client.until(answers(1));
      client.socket.destroy();
    };
    await Promise.all(clients.map(serveAndLeave));
    expect(served()).toHaveLength(clients.length);
  });
});

describe('an address that is taken', () => {
  it('ends the program at its start, and the error says why', async () => {
    const server = await runFixed(hosts);
    await expect(runFixed(hosts, { port: server.port })).rejects.toMatchObject({
      name: 'PortPartyError',
      exitCode: 3,
      message: `fixed ended at its start: 127.0.0.1:${server.port}: bind: EADDRINUSE`,
    });
  });
});
