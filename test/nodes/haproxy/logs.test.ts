/** Log lines as HAProxy 2.6 wrote them. */
import { describe, expect, it } from 'vitest';
import { readHaproxyLog } from '../../../src/nodes/haproxy/logs.js';
import { ringReader } from '../../../src/nodes/haproxy/ring.js';

const AT = Date.UTC(2026, 10, 25, 16, 12, 29);
const CONFIG = 'backend backends\n  server shop-0 198.18.0.18:8080\n  server shop-1 198.18.0.19:8080 check\n';

const message = (text: string, ms = 800) =>
  `<27>1 ${new Date(AT + Math.floor(ms)).toISOString().slice(0, -1)}${String(Math.round((ms % 1) * 1000)).padStart(3, '0')}+00:00 - haproxy 23 - - ${text}`;

const NO_PORTS = 'Connect() failed for backend backends: no free ports.';

/** A request's line; by default one that was answered in 4 ms. */
function request(fields: Record<string, string | number> = {}, ms = 800): string {
  return message(
    JSON.stringify({
      id: 'r1.1',
      accept: `${AT / 1000}.700`,
      handshake: 0,
      idle: 60,
      active: 4,
      queue: 0,
      connect: 1,
      response: 3,
      status: 200,
      state: '----',
      peer: '198.18.0.3:56432',
      server: 'backends/shop-0',
      to: '198.18.0.18:8080',
      from: '198.18.0.20:20158',
      retries: '0',
      error: '0',
      errorText: 'Success',
      limit: '-',
      queues: '0/0',
      connections: '3/3',
      frontend: 'entry',
      request: 'GET /',
      ...fields,
    }),
    ms,
  );
}

const FAILED = { status: 503, connect: -1, response: -1, from: '-:-', error: '-', errorText: '-' };
const NO_SERVER = { ...FAILED, server: 'backends/<NOSRV>', to: '-:-' };

const read = (lines: string[], more: { state?: string; config?: string; open?: string } = {}) =>
  readHaproxyLog('balancer', { log: lines.join('\n'), config: CONFIG, state: '', open: '', ...more });

describe("haproxy's log", () => {
  it('tells of an answered request, and of the address and port that it left from', () => {
    const [sighting] = read([request()]).sightings;
    expect(sighting).toMatchObject({ id: 'r1.1', host: 'balancer', status: 200, peer: '198.18.0.3:56432' });
    expect([sighting.startedAt - AT, sighting.endedAt - AT]).toEqual([760, 764]);
    expect(sighting.tries).toMatchObject([
      { to: '198.18.0.18:8080', from: '198.18.0.20:20158', result: 'answered', connectMs: 1 },
    ]);
  });

  it.each([
    ['SC--', { ...FAILED, error: '9' }, 'no-local-port'],
    ['SC--', { ...FAILED, error: '7' }, 'no-local-port'],
    ['SC--', { ...FAILED, error: '2' }, 'file-limit'],
    ['SC--', FAILED, 'refused'],
    ['sC--', FAILED, 'connect-timeout'],
    ['sQ--', { ...NO_SERVER, queue: 503 }, 'queue-timeout'],
    ['SC--', { ...NO_SERVER, queue: -1 }, 'no-live-backend'],
    ['SH--', { status: 502, response: -1 }, 'reset'],
    ['sH--', { status: 504, response: -1 }, 'response-timeout'],
    ['CH--', { status: -1, response: -1 }, 'response-timeout'],
    ['CD--', {}, 'answered'],
    ['--VN', {}, 'answered'],
    ['KH--', { status: 502, response: -1 }, 'response-timeout'],
    ['K---', { ...FAILED, status: -1 }, 'connect-timeout'],
  ])('knows by %s and %j that the try ended as %s', (state, fields, result) => {
    const [sighting] = read([request({ state, ...fields })]).sightings;
    expect(sighting.tries.map((one) => one.result)).toEqual([result]);
  });

  it('gives each request the tries that found no port, by the messages before its line', () => {
    const lost = { ...FAILED, state: 'SC--', error: '9', retries: '3' };
    const four = (ms: number) => [0, 0.1, 0.2, 0.3].map((later) => message(NO_PORTS, ms + later));
    const { sightings } = read([
      ...four(800),
      request({ ...lost, id: 'r1.1' }, 800.4),
      ...four(801),
      request({ ...lost, id: 'r2.1' }, 801.4),
    ]);
    expect(sightings.map(({ tries }) => tries.map((one) => one.result))).toEqual([
      Array(4).fill('no-local-port'),
      Array(4).fill('no-local-port'),
    ]);
    expect(sightings[1].tries[0].endedAt).toBeCloseTo(AT + 801, 3);
  });

  it('counts a retry of which it says nothing, and does not call it a want of ports', () => {
    const [sighting] = read([message(NO_PORTS, 100), request({ retries: '+1' })]).sightings;
    expect(sighting.tries.map(({ to, result }) => [to, result])).toEqual([
      [undefined, 'failed'],
      ['198.18.0.18:8080', 'answered'],
    ]);
  });

  it('tells how long a request waited in the queue', () => {
    expect(read([request({ queue: 836 })]).sightings[0].queuedMs).toBe(836);
    expect(read([request()]).sightings[0].queuedMs).toBeUndefined();
  });

  it.each([
    [429, 'rateLimit', 'throttled'],
    [429, '-', 'throttled'],
    [503, 'queueLength', 'connection-limit'],
    [403, '-', undefined],
  ])('tells of a refusal by its own rules: %i, limit %s', (status, limit, cause) => {
    const [sighting] = read([request({ ...NO_SERVER, state: 'PR--', status, limit })]).sightings;
    expect([sighting.tries, sighting.refusal?.cause]).toEqual([[], cause]);
  });

  it('has every failed health check, with its own reason', () => {
    const exhausted =
      'Health check for server backends/shop-1 failed, reason: Layer4 connection problem, info: "Out of local source ports on the system (Cannot assign requested address)", check duration: 0ms, status: 0/2 DOWN.';
    const refused =
      'Health check for server backends/shop-0 failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 1/2 UP.';
    const late =
      'Health check for server backends/shop-0 failed, reason: Layer4 timeout, check duration: 500ms, status: 0/2 DOWN.';
    const byRequests =
      'Health check for server backends/shop-0 failed, reason: Health analyze, info: "Detected 5 consecutive errors, last one was: L4 unsuccessful connection", status: 0/2 DOWN.';
    const well =
      'Health check for server backends/shop-0 succeeded, reason: Layer4 check passed, check duration: 0ms, status: 2/2 UP.';
    const { sightings } = read([exhausted, refused, late, byRequests, well].map((text) => message(text)));
    expect(sightings.map(({ id, tries: [one] }) => [id, one.to, one.result, one.markedDown])).toEqual([
      ['health check of backends/shop-1', '198.18.0.19:8080', 'no-local-port', true],
      ['health check of backends/shop-0', '198.18.0.18:8080', 'refused', false],
      ['health check of backends/shop-0', '198.18.0.18:8080', 'connect-timeout', true],
    ]);
    expect(sightings[2].endedAt - sightings[2].startedAt).toBe(500);
  });

  it('shows when it stood at a limit of connections: of a frontend, as configured, or by its descriptors', () => {
    const state = 'Ulimit-n: 300\nMaxconn: 137\n\n# pxname,svname,qcur,qmax,scur,smax,slim\nentry,FRONTEND,,,0,0,10\n';
    const causes = (connections: string, config = CONFIG) =>
      read([request({ connections })], { state, config }).incidents.map(({ cause }) => cause);
    expect(causes('9/9')).toEqual([]);
    expect(causes('10/10')).toEqual(['connection-limit']);
    expect(causes('137/9')).toEqual(['file-limit']);
    expect(causes('137/9', `global\n  nbthread 1\n  maxconn 137\n${CONFIG}`)).toEqual(['connection-limit']);
  });

  it('judges each line by the limits of the worker that wrote it, in the order of their time', () => {
    const worker = (pid: number, limit: number) =>
      `Name: HAProxy\nPid: ${pid}\nMaxconn: 900\n\n# pxname,svname,qcur,qmax,scur,smax,slim\nentry,FRONTEND,,,0,0,${limit}\n`;
    const by = (pid: number, id: string, ms: number) =>
      request({ id, connections: '20/20' }, ms).replace(' haproxy 23 ', ` haproxy ${pid} `);
    // The ring of the worker that went is read first; it wrote on while the next one served.
    const lines = [by(23, 'old.1', 100), by(23, 'old.2', 900), by(31, 'new.1', 500)];
    const { sightings, incidents } = read(lines, { state: worker(23, 100) + worker(31, 20) });
    expect(sightings.map(({ id }) => id)).toEqual(['old.1', 'new.1', 'old.2']);
    expect(incidents.map(({ at, cause }) => [at - AT, cause])).toEqual([[500, 'connection-limit']]);
  });

  it('knows who still stood in the queue when it ended', () => {
    const open = `0x55bd5afb2f40: [25/Nov/2026:16:12:29.034967] id=0 proto=tcpv4 source=198.18.0.3:34020
  scb=0x55bd5b018050 flags=0x00000011 state=EST endp=CONN,0x55bd5b0ad380,0x02800001 sub=1
0x55bd5b0c15b0: [25/Nov/2026:16:12:29.048969] id=5 proto=tcpv4 source=198.18.0.3:34056
  scf=0x55bd5b0c1540 flags=0x00000280 state=EST endp=CONN,0x55bd5b0bd410,0x02804001 sub=1
  scb=0x55bd5b0c1ac0 flags=0x00000011 state=QUE endp=NONE,(nil),0x00000010 sub=0
`;
    expect(read([], { open }).incidents).toMatchObject([
      { at: AT + 48, cause: 'queue-timeout', peer: '198.18.0.3:34056' },
    ]);
  });

  it('is read up to the line that was cut off', () => {
    expect(read([request(), request().slice(0, 140)]).sightings).toHaveLength(1);
  });
});

describe("haproxy's ring buffer", () => {
  /** The header of the file, then each line behind a counter and its length as a varint (include/haproxy/intops.h). */
  function ring(lines: string[]): Buffer {
    const records = lines.map((line) => {
      const text = Buffer.from(line);
      const length = text.length;
      const varint = length < 240 ? [length] : [240 | (length & 15), (length - 240) >> 4];
      return Buffer.concat([Buffer.from([0, ...varint]), text]);
    });
    return Buffer.concat([Buffer.from([0xb8, 0xff, 0xff, 0x0f, 0, 0, 0, 0]), ...records, Buffer.alloc(100)]);
  }

  /** Lines of every length around where the varint grows, and around those whose second byte is 0 or `<`. */
  const LINES = Array.from({ length: 1100 }, (_, n) => `<30>1 2026-11-25T${'x'.repeat(n)}}`);

  it.each([1, 7, 4096])('gives every line once, in pieces of %i bytes', (size) => {
    const bytes = ring(size === 1 ? LINES.slice(200, 300) : LINES);
    const reader = ringReader();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...reader.push(bytes.subarray(at, at + size)));
    lines.push(...reader.end());
    expect(lines).toEqual(size === 1 ? LINES.slice(200, 300) : LINES);
  });
});
