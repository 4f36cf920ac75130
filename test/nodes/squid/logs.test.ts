/** Log lines as squid 5.7 wrote them. */
import { describe, expect, it } from 'vitest';
import { readSquidLogs } from '../../../src/nodes/squid/logs.js';

const read = (access: string[], cache: string[] = [], config = '') =>
  readSquidLogs('proxy', access.join('\n'), cache.join('\n'), config);
const triesOf = (access: string, cache: string[] = [], config = '') => read([access], cache, config).sightings[0].tries;

const ANSWERED =
  'r0.1 1795622917.505 1795622917.609 200 198.18.0.3:41128 TCP_MISS FIRSTUP_PARENT 198.18.0.18:8080 198.18.0.19:30036 104 3 - - 55 GET http://198.18.0.2/';

it('tells a request that was answered, with its connection to the backend', () => {
  const { sightings, incidents } = read([ANSWERED, '']);
  expect(incidents).toEqual([]);
  expect(sightings).toEqual([
    {
      id: 'r0.1',
      host: 'proxy',
      startedAt: 1795622917505,
      endedAt: 1795622917609,
      status: 200,
      peer: '198.18.0.3:41128',
      tries: [
        {
          to: '198.18.0.18:8080',
          from: '198.18.0.19:30036',
          result: 'answered',
          endedAt: 1795622917609,
          connectMs: 101,
          evidence: ANSWERED,
        },
      ],
      evidence: ANSWERED,
    },
  ]);
});

it('leaves out requests without an id, and a line that was cut off', () => {
  expect(read([ANSWERED.replace('r0.1', '-'), ANSWERED.slice(0, 60)]).sightings).toEqual([]);
});

describe('a connection that failed', () => {
  const failed = (errno: number) =>
    `r198.1 1795623222.941 1795623222.941 503 198.18.0.3:53018 TCP_MISS ANY_OLD_PARENT 198.18.0.19:8080 0.0.0.0:0 0 - ERR_CONNECT_FAIL ERR_CONNECT_FAIL%20${errno} 449 GET http://198.18.0.2/`;

  it.each([
    [99, 'no-local-port'],
    [111, 'refused'],
    [113, 'unreachable'],
    [110, 'connect-timeout'],
    [0, 'connect-failed'],
  ])('with errno %i is %s', (errno, result) => {
    expect(triesOf(failed(errno))).toMatchObject([{ to: '198.18.0.19:8080', result }]);
    expect(triesOf(failed(errno))[0]).not.toHaveProperty('from');
  });

  it('at an early bind() has its errno in cache.log: every source address was tried', () => {
    const access =
      'r17.1 1795626302.571 1795626302.572 503 198.18.0.3:47182 TCP_MISS ANY_OLD_PARENT 198.18.0.18:8080 198.18.0.19:0 0 - ERR_CONNECT_FAIL ERR_CONNECT_FAIL%200 90 GET http://198.18.0.2/';
    const tries = triesOf(access, [
      '2026/11/25 17:05:02.073| commBind Cannot bind socket FD 49 to 198.18.0.20: (98) Address already in use',
      '    current master transaction: master90',
      '2026/11/25 17:05:02.073| TCP connection to 198.18.0.18/8080 failed',
      '    current master transaction: master90',
      '2026/11/25 17:05:02.073| commBind Cannot bind socket FD 49 to 198.18.0.19: (98) Address already in use',
      '    current master transaction: master90',
      '2026/11/25 17:05:02.073| TCP connection to 198.18.0.18/8080 failed',
      '    current master transaction: master90',
    ]);
    expect(tries.map(({ result }) => result)).toEqual(['no-local-port', 'no-local-port']);
    expect(tries[1].evidence).toContain('EADDRINUSE');
  });

  it('before another peer answered is told by cache.log, which has no errno of connect()', () => {
    const access =
      'r197.1 1795623080.108 1795623081.609 200 198.18.0.3:35938 TCP_MISS ANY_OLD_PARENT 198.18.0.18:8080 198.18.0.20:30095 1500 1500 - - 447 GET http://198.18.0.2/';
    const cache = [
      '2026/11/25 16:11:20.109| TCP connection to 198.18.0.19/8080 failed',
      '    current master transaction: master447',
      '2026/11/25 16:11:20| Detected DEAD Parent: backend1',
      '    current master transaction: master447',
    ];
    expect(triesOf(access, cache)).toMatchObject([
      { to: '198.18.0.19:8080', result: 'connect-failed', markedDown: true },
      { to: '198.18.0.18:8080', result: 'answered' },
    ]);
    // Squid 6 names the peer.
    const six = cache.map((line) =>
      line.replace('TCP connection to 198.18.0.19/8080', 'ERROR: Connection to backend1'),
    );
    const config = 'cache_peer 198.18.0.19 parent 8080 0 no-query name=backend1';
    expect(triesOf(access, six, config)).toEqual(
      triesOf(access, cache).map((one, index) => (index > 0 ? one : { ...one, evidence: six[0] })),
    );
    // Another life of squid had a request of the same number.
    expect(triesOf(access.replaceAll('17956230', '17956330'), cache)).toHaveLength(1);
  });

  it('without a descriptor is a file-limit; accepting without one is an incident', () => {
    const access =
      'r11.1 1795624362.837 1795624362.842 503 198.18.0.3:44416 TCP_MISS ROUNDROBIN_PARENT 198.18.0.18:8080 0.0.0.0:0 2 - ERR_CONNECT_FAIL ERR_CONNECT_FAIL%200 105 GET http://198.18.0.2/';
    const { sightings, incidents } = read(
      [access],
      [
        '2026/11/25 16:32:42| WARNING! Your cache is running out of filedescriptors',
        '    listening port: 198.18.0.2:80',
        '2026/11/25 16:32:42.093| comm_openex socket failure: (24) Too many open files',
        '    current master transaction: master105',
        '2026/11/25 16:32:42.093| TCP connection to 198.18.0.18/8080 failed',
        '    current master transaction: master105',
      ],
    );
    expect(sightings[0].tries).toMatchObject([{ result: 'file-limit' }]);
    expect(incidents).toMatchObject([{ cause: 'file-limit', at: Date.UTC(2026, 10, 25, 16, 32, 42) }]);
  });
});

describe('a request that was sent to nobody', () => {
  const refused = (at: number, transaction: number) =>
    `r209.1 ${at} ${at} 502 198.18.0.3:54488 TCP_MISS HIER_NONE -:- -:- - - ERR_READ_ERROR ERR_READ_ERROR%200 ${transaction} GET http://198.18.0.2/`;
  const dead = ['2026/11/25 16:09:57| Detected DEAD Parent: backend0', '    current master transaction: master469'];
  const config = 'cache_peer 198.18.0.18 parent 8080 0 no-query round-robin max-conn=50 name=backend0';

  it('is no-live-backend where no limit is set', () => {
    expect(triesOf(refused(1795622997.145, 471))).toMatchObject([{ to: undefined, result: 'no-live-backend' }]);
  });

  it('is a connection-limit while a limited peer was alive, and no-live-backend once it was DEAD', () => {
    expect(triesOf(refused(1795622996.5, 460), dead, config)).toMatchObject([{ result: 'connection-limit' }]);
    expect(triesOf(refused(1795622997.145, 471), dead, config)).toMatchObject([{ result: 'no-live-backend' }]);
    const revived = [...dead, '2026/11/25 16:09:59| Detected REVIVED Parent: backend0'];
    expect(triesOf(refused(1795622999.5, 480), revived, config)).toMatchObject([{ result: 'connection-limit' }]);
  });

  it('is told from a DEAD peer within the same second by the request that made it so', () => {
    const killer =
      'r100.1 1795622997.8 1795622997.9 503 198.18.0.3:1 TCP_MISS FIRSTUP_PARENT 198.18.0.18:8080 0.0.0.0:0 0 - ERR_CONNECT_FAIL ERR_CONNECT_FAIL%20111 469 GET http://198.18.0.2/';
    const { sightings } = read([refused(1795622997.145, 460), killer, refused(1795622997.95, 471)], dead, config);
    expect(sightings.map(({ tries }) => tries[0].result)).toEqual(['connection-limit', 'refused', 'no-live-backend']);
  });
});

describe('an answer that never came', () => {
  const line = (error: string, errno: number, status: number, tag = 'TCP_MISS') =>
    `r0.1 1795623009.053 1795623009.156 ${status} 198.18.0.3:51378 ${tag} FIRSTUP_PARENT 198.18.0.18:8080 198.18.0.19:30170 102 0 ${error} ${error}%20${errno} 53 GET http://198.18.0.2/`;

  it.each([
    ['ERR_READ_ERROR', 104, 502, 'reset'],
    ['ERR_ZERO_SIZE_OBJECT', 0, 502, 'closed-early'],
    ['ERR_READ_TIMEOUT', 110, 504, 'response-timeout'],
  ])('%s %i is %s', (error, errno, status, result) => {
    expect(triesOf(line(error, errno, status))).toMatchObject([{ result, from: '198.18.0.19:30170' }]);
  });

  it('because the client left is a response-timeout, status 499', () => {
    const [sighting] = read([line('ERR_CLIENT_GONE', 0, 0, 'TCP_MISS_ABORTED')]).sightings;
    expect(sighting).toMatchObject({ status: 499, tries: [{ result: 'response-timeout' }] });
  });

  it('to one that waited for the answer to another is that one’s', () => {
    const first = line('ERR_CLIENT_GONE', 0, 0, 'TCP_MISS_ABORTED');
    const waiting =
      'r1.1 1795623009.1 1795623009.15 0 198.18.0.3:51380 TCP_CF_MISS_ABORTED HIER_NONE -:- -:- - - ERR_CLIENT_GONE - 54 GET http://198.18.0.2/';
    const { sightings } = read([first, waiting]);
    expect(sightings[1].tries).toMatchObject([
      { to: '198.18.0.18:8080', result: 'response-timeout', evidence: expect.stringContaining('r0.1') },
    ]);
  });
});

it('an answer from the cache is no try at all', () => {
  const hit =
    'r49.1 1795623255.575 1795623255.645 200 198.18.0.3:43818 TCP_CF_HIT HIER_NONE -:- -:- - - - - 151 GET http://198.18.0.2/';
  expect(read([hit]).sightings).toMatchObject([{ status: 200, tries: [] }]);
});

it('the error that a squid behind this one told of is not this one’s', () => {
  const passedOn =
    'r0.1 1795622917.505 1795622917.609 503 198.18.0.3:41128 TCP_MISS FIRSTUP_PARENT 198.18.0.18:80 198.18.0.19:30036 104 3 - ERR_CONNECT_FAIL%2099 55 GET http://198.18.0.2/';
  expect(triesOf(passedOn)).toMatchObject([{ result: 'answered', to: '198.18.0.18:80' }]);
});
