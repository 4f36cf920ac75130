/** Log records as varnish 7.1 wrote them, in raw form. */
import { describe, expect, it } from 'vitest';
import { readVarnishLog } from '../../../src/nodes/varnish/logs.js';

const VCL = 'backend backend0 {\n  .host = "198.18.0.18";\n  .port = "8080";\n}\n';

/** A client's request: `links` and what else is between its beginning and its answer. */
const request = (id: number, status: number, between: string[], at = 1795623353) =>
  [
    `${id} Begin          c req ${id - 1} rxreq`,
    `${id} Timestamp      c Start: ${at}.044358 0.000000 0.000000`,
    `${id} ReqStart       c 198.18.0.3 39666 a0`,
    `${id} ReqMethod      c GET`,
    `${id} ReqURL         c /event`,
    `${id} ReqHeader      c X-Request-Id: r${id}.1`,
    ...between.map((record) => `${id} ${record}`),
    `${id} RespStatus     c ${status}`,
    `${id} Timestamp      c Resp: ${at}.844792 0.800433 0.000073`,
  ].map((record) => record.padStart(record.length + 8));

const fetch = (id: number, parent: number, records: string[], reason = 'fetch') => [
  `  ${id} Begin          b bereq ${parent} ${reason}`,
  `  ${id} Timestamp      b Start: 1795623353.044434 0.000000 0.000000`,
  `  ${id} BereqMethod    b GET`,
  `  ${id} BereqURL       b /event`,
  `  ${id} Timestamp      b Fetch: 1795623353.044443 0.000009 0.000009`,
  ...records.map((record) => `  ${id} ${record}`),
];

const OPENED = [
  'Timestamp      b Connected: 1795623353.146182 0.000180 0.000166',
  'BackendOpen    b 22 backend0 198.18.0.18 8080 198.18.0.19 30128 connect',
];
const ANSWER = ['Timestamp      b Beresp: 1795623353.744549 0.000114 0.000105'];

const read = (...parts: string[][]) => readVarnishLog('proxy', parts.flat().join('\n'), VCL);

it('tells a request that was answered, with its connection to the backend', () => {
  const [sighting] = read(
    fetch(3, 2, [...OPENED, ...ANSWER], 'pass'),
    request(2, 200, ['Link           c bereq 3 pass']),
  );
  expect(sighting).toMatchObject({
    id: 'r2.1',
    host: 'proxy',
    startedAt: 1795623353044.358,
    endedAt: 1795623353844.792,
    status: 200,
    peer: '198.18.0.3:39666',
    tries: [{ to: '198.18.0.18:8080', from: '198.18.0.19:30128', result: 'answered', endedAt: 1795623353744.549 }],
  });
  expect(sighting.tries[0].connectMs).toBeCloseTo(101.739, 2);
});

describe('a fetch that failed', () => {
  const failed = (error: string, opened: string[] = []) =>
    read(
      fetch(3, 2, [...opened, `FetchError     b ${error}`, ...ANSWER]),
      request(2, 503, ['Link           c bereq 3 fetch']),
    )[0].tries;

  it.each([
    ['backend backend0: fail errno 99 (Cannot assign requested address)', 'no-local-port'],
    ['backend backend0: fail errno 0 (Success)', 'no-live-backend'],
    ['backend backend0: fail errno 111 (Connection refused)', 'refused'],
    ['backend backend0: fail errno 110 (Connection timed out)', 'connect-timeout'],
    ['backend backend0: fail errno 24 (Too many open files)', 'file-limit'],
    ['backend backend0: busy', 'connection-limit'],
    ['backend backend0: unhealthy', 'no-live-backend'],
  ])('with "%s" is %s', (error, result) => {
    expect(failed(error)).toMatchObject([{ to: '198.18.0.18:8080', result, evidence: expect.stringContaining(error) }]);
  });

  it.each([
    ['HTC eof (-1)', 'closed-early'],
    ['first byte timeout', 'response-timeout'],
    ['between bytes timeout', 'response-timeout'],
  ])('after it had connected, with "%s", is %s', (error, result) => {
    expect(failed(error, OPENED)).toMatchObject([{ from: '198.18.0.19:30128', result }]);
  });

  it('without any backend to choose is no-live-backend', () => {
    expect(failed('Director shop returned no backend')).toMatchObject([{ to: undefined, result: 'no-live-backend' }]);
  });

  it('marks its backend down where varnish then leaves it alone', () => {
    expect(failed('backend backend0: fail errno 99 (Cannot assign requested address)')[0].markedDown).toBe(true);
    expect(failed('backend backend0: fail errno 0 (Success)')[0].markedDown).toBeUndefined();
  });
});

it('follows a fetch to the one that tried again, and leaves out what was fetched in the background', () => {
  const [sighting] = read(
    fetch(3, 2, ['FetchError     b HTC eof (-1)', ...OPENED, ...ANSWER, 'Link           b bereq 5 retry']),
    fetch(5, 3, [...OPENED, ...ANSWER], 'retry'),
    fetch(7, 2, ['FetchError     b backend backend0: busy'], 'bgfetch'),
    request(2, 200, ['Link           c bereq 3 fetch', 'Link           c bereq 7 bgfetch']),
  );
  expect(sighting.tries.map(({ result }) => result)).toEqual(['closed-early', 'answered']);
});

it('follows a request that the VCL restarted', () => {
  const [sighting] = read(request(2, 503, ['Link           c req 4 restart']).slice(0, -2), [
    '  4 Begin          c req 2 restart',
    '  4 Timestamp      c Start: 1795623353.100000 0.000000 0.000000',
    '  4 RespStatus     c 200',
    '  4 Timestamp      c Resp: 1795623353.200000 0.1 0.1',
  ]);
  expect(sighting).toMatchObject({ id: 'r2.1', status: 200, endedAt: 1795623353200 });
});

describe('a request for a page that is being fetched', () => {
  const leader = fetch(3, 2, [...OPENED, ...ANSWER]);
  const WAITED = 'Timestamp      c Waitinglist: 1795623353.744836 0.525745 0.525745';

  it('waits for it, and that is no failure', () => {
    const [sighting] = read(leader, request(32770, 200, ['Hit            c 3 10.525217 10.000000 0.000000', WAITED]));
    expect(sighting.tries).toMatchObject([
      { to: '198.18.0.18:8080', result: 'answered', evidence: expect.stringContaining('waited for') },
    ]);
  });

  it('asks itself when that one has failed', () => {
    const held = 'FetchError     b backend backend0: fail errno 0 (Success)';
    const [sighting] = read(
      fetch(3, 2, ['FetchError     b HTC eof (-1)', ...OPENED, ...ANSWER]),
      fetch(32771, 32770, [held, ...ANSWER]),
      request(32770, 503, [WAITED, 'Link           c bereq 32771 fetch']),
    );
    expect(sighting.tries.map(({ result }) => result)).toEqual(['answered', 'no-live-backend']);
  });
});

it('tells why a health check failed, and which one took the backend for sick', () => {
  const check = (change: string, words: string) => [
    `         0 Backend_health - backend0 ${change} -------- 0 1 2 0.000000 0.012351 "${words}"`,
  ];
  const sightings = read(
    check('Back healthy', 'HTTP/1.1 200 OK'),
    ['         0 CLI            - Wr 200 19 PONG 1795623300 1.0'],
    check('Still healthy', 'Open error 99 (Cannot assign requested address)'),
    request(2, 200, []),
    check('Went sick', 'Poll error 110 (Connection timed out)'),
    check('Still sick', 'Open error 0 (Success)'),
  ).filter(({ id }) => id.includes(' '));
  expect(sightings.map(({ id, tries }) => [id, tries[0].result, tries[0].markedDown, tries[0].endedAt])).toEqual([
    ['the health check of backend0', 'no-local-port', undefined, 1795623300000],
    ['the health check of backend0', 'response-timeout', true, 1795623353844.792],
  ]);
});

it('an answer from the cache is no try at all', () => {
  expect(read(request(4, 200, ['Hit            c 3 10.5 10.0 0.0']))[0]).toMatchObject({ status: 200, tries: [] });
});

it('reads each life of a restarted varnish by itself, and skips requests without an id', () => {
  const anonymous = request(8, 200, []).filter((record) => !record.includes('X-Request-Id'));
  const begin = (time: number) => [`         0 CLI            - Rd backend.list begin-${time}-0 `];
  const sightings = read(begin(1), request(2, 200, []), anonymous, begin(2), request(2, 503, [], 1795623399));
  expect(sightings.map(({ id, status }) => [id, status])).toEqual([
    ['r2.1', 200],
    ['r2.1', 503],
  ]);
});
