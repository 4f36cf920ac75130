/** Log lines as nginx 1.22 wrote them. */
import { describe, expect, it } from 'vitest';
import { readNginxLogs } from '../../../src/nodes/nginx/logs.js';

const AT = Date.UTC(2026, 10, 24, 19, 50, 39) / 1000;

interface Written {
  id?: string;
  at?: number;
  took?: number;
  status?: number;
  connection?: number;
  upstream?: string;
  upstreamStatus?: string;
  connectTime?: string;
  headerTime?: string;
  responseTime?: string;
}

function access(fields: Written): string {
  return JSON.stringify({
    id: 'r1.1',
    at: AT + 0.841,
    took: 0,
    status: 502,
    connection: 1,
    peer: '198.18.0.3:50698',
    request: 'GET / HTTP/1.1',
    upstream: '198.18.0.18:8080',
    upstreamStatus: '502',
    connectTime: '-',
    headerTime: '-',
    responseTime: '0.000',
    ...fields,
  });
}

function error(words: string, connection = 1, upstream = '198.18.0.18:8080', time = '19:50:39'): string {
  return `2026/11/24 ${time} [error] 18#18: *${connection} ${words}, client: 198.18.0.3, server: , request: "GET / HTTP/1.1", upstream: "http://${upstream}/", host: "198.18.0.2"`;
}

const read = (accessLines: string[], errorLines: string[] = [], configuration = '') =>
  readNginxLogs('balancer', `${accessLines.join('\n')}\n`, `${errorLines.join('\n')}\n`, configuration);

const results = (accessLines: string[], errorLines: string[]) =>
  read(accessLines, errorLines).sightings.map(({ tries }) => tries.map(({ result }) => result));

describe("nginx's logs", () => {
  it('tell of an answered request', () => {
    const line = access({ took: 0.022, status: 200, connectTime: '0.000', headerTime: '0.021', responseTime: '0.021' });
    const [sighting] = read([line]).sightings;
    expect(sighting).toMatchObject({ id: 'r1.1', host: 'balancer', status: 200, peer: '198.18.0.3:50698' });
    expect(sighting.endedAt - sighting.startedAt).toBeCloseTo(22);
    expect(sighting.tries).toMatchObject([{ to: '198.18.0.18:8080', result: 'answered', connectMs: 0 }]);
    expect(sighting.tries[0].endedAt - sighting.startedAt).toBeCloseTo(21);
  });

  it.each([
    [
      'connect() to 198.18.0.18:8080 failed (99: Cannot assign requested address) while connecting to upstream',
      'no-local-port',
    ],
    ['connect() failed (111: Connection refused) while connecting to upstream', 'refused'],
    ['connect() failed (113: No route to host) while connecting to upstream', 'unreachable'],
    ['recv() failed (104: Connection reset by peer) while reading response header from upstream', 'reset'],
    ['upstream prematurely closed connection while reading response header from upstream', 'closed-early'],
    ['upstream timed out (110: Connection timed out) while connecting to upstream', 'connect-timeout'],
    ['upstream timed out (110: Connection timed out) while reading response header from upstream', 'response-timeout'],
    ['socket() failed (24: Too many open files) while connecting to upstream', 'file-limit'],
  ])('know by "%s" that the try ended as %s', (words, result) => {
    const [sighting] = read([access({})], [error(words)]).sightings;
    expect(sighting.tries).toMatchObject([{ to: '198.18.0.18:8080', result, evidence: error(words) }]);
  });

  it('tell the quake from the aftershock, on one connection with the same request again and again', () => {
    const lines = [
      access({
        id: 'r0.1',
        upstream: '198.18.0.18:8080, 198.18.0.19:8080',
        upstreamStatus: '502, 502',
        connectTime: '-, -',
        headerTime: '-, -',
        responseTime: '0.000, 0.001',
      }),
      access({ id: 'r1.1', upstream: 'backends' }),
      access({ id: 'r2.1', upstream: 'backends' }),
    ];
    const refused = 'connect() failed (111: Connection refused) while connecting to upstream';
    const disabled = 'upstream server temporarily disabled while connecting to upstream';
    const errors = [
      error(refused),
      error(disabled),
      error(refused, 1, '198.18.0.19:8080'),
      error(disabled, 1, '198.18.0.19:8080'),
      error('no live upstreams while connecting to upstream', 1, 'backends'),
      error('no live upstreams while connecting to upstream', 1, 'backends'),
    ];
    expect(results(lines, errors)).toEqual([['refused', 'refused'], ['no-live-backend'], ['no-live-backend']]);
  });

  it('give each request of a connection its own error, an answered one in between none', () => {
    const lines = [
      access({ id: 'r0.1' }),
      access({
        id: 'r1.1',
        at: AT + 1.2,
        status: 200,
        connectTime: '0.000',
        headerTime: '0.010',
        responseTime: '0.010',
      }),
      access({ id: 'r2.1', at: AT + 2.5 }),
    ];
    const errors = [
      error('connect() to 198.18.0.18:8080 failed (99: Cannot assign requested address) while connecting to upstream'),
      error('connect() failed (111: Connection refused) while connecting to upstream', 1, undefined, '19:50:41'),
    ];
    expect(results(lines, errors)).toEqual([['no-local-port'], ['answered'], ['refused']]);
  });

  it('do not mix up connections, nor use an error of long ago', () => {
    const refused = 'connect() failed (111: Connection refused) while connecting to upstream';
    expect(results([access({})], [error(refused, 2)])).toEqual([['failed']]);
    expect(results([access({})], [error(refused, 1, undefined, '19:50:30')])).toEqual([['failed']]);
  });

  it('tell of a backend that failed in the middle of its answer', () => {
    const line = access({ status: 200, connectTime: '0.000', headerTime: '0.010', responseTime: '0.500' });
    const words = 'upstream prematurely closed connection while reading upstream';
    expect(results([line], [error(words)])).toEqual([['closed-early']]);
  });

  it.each([
    ['0.000', 'response-timeout'],
    ['-', 'connect-timeout'],
  ])('tell how far a request was that its client left (connect time %s)', (connectTime, result) => {
    const line = access({ status: 499, upstreamStatus: '-', connectTime });
    expect(read([line]).sightings[0].tries[0].connectMs).toBe(
      connectTime === '-' ? undefined : 1000 * Number(connectTime),
    );
    expect(results([line], [])).toEqual([[result]]);
  });

  it('tell of a refusal by a limit of nginx itself', () => {
    const line = access({
      status: 503,
      upstream: '',
      upstreamStatus: '',
      connectTime: '',
      headerTime: '',
      responseTime: '',
    });
    const limited =
      '2026/11/24 19:50:39 [error] 26#26: *1 limiting connections by zone "everyone", client: 198.18.0.3, server: , request: "GET / HTTP/1.1", host: "198.18.0.2"';
    const [sighting] = read([line], [limited]).sightings;
    expect(sighting).toMatchObject({ tries: [], refusal: { cause: 'connection-limit', evidence: limited } });
  });

  it('tell a backend that has its most connections from one that is held down', () => {
    const busy = access({ upstream: 'backends', upstreamStatus: '502' });
    const none = 'no live upstreams while connecting to upstream';
    const disabled = 'upstream server temporarily disabled while connecting to upstream';
    const limited = 'server 198.18.0.18:8080 max_fails=1 fail_timeout=10s max_conns=5;';
    const ends = (errors: string[], configuration: string) =>
      read([busy], errors, configuration).sightings[0].tries.map(({ result }) => result);
    expect(ends([error(none, 1, 'backends')], limited)).toEqual(['connection-limit']);
    expect(ends([error(none, 1, 'backends')], 'server 198.18.0.18:8080;')).toEqual(['no-live-backend']);
    const earlier = error(disabled, 2, '198.18.0.18:8080', '19:50:33');
    expect(ends([earlier, error(none, 1, 'backends')], limited)).toEqual(['no-live-backend']);
  });

  it('tell of a request for which no connection to a backend was left', () => {
    const line = access({ status: 500, upstream: '', upstreamStatus: '-', responseTime: '0.000' });
    const words = '9 worker_connections are not enough while connecting to upstream';
    expect(read([line], [error(words)]).sightings[0].refusal?.cause).toBe('connection-limit');
  });

  it('name trouble of the listener as incidents', () => {
    const { incidents } = read(
      [],
      [
        '2026/11/24 19:50:43 [alert] 25#25: 8 worker_connections are not enough',
        '2026/11/24 19:50:44 [crit] 25#25: accept4() failed (24: Too many open files)',
        '2026/11/24 19:50:44 [warn] 24#24: 16384 worker_connections exceed open file resource limit: 24',
      ],
    );
    expect(incidents.map(({ cause, at }) => [cause, at / 1000 - AT])).toEqual([
      ['connection-limit', 4],
      ['file-limit', 5],
    ]);
  });

  it('are read up to the line that was cut off', () => {
    expect(read([access({}), access({}).slice(0, 40)], []).sightings).toHaveLength(1);
  });
});
