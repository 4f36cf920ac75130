/** Log lines as Traffic Server 9.2.9 wrote them. */
import { describe, expect, it } from 'vitest';
import { type LogTexts, readTrafficServerLogs } from '../../../src/nodes/trafficserver/logs.js';

const ONE = 'dest_domain=. parent="198.18.0.18:8080" round_robin=strict go_direct=false parent_is_proxy=false\n';
const TWO = ONE.replace('8080"', '8080;198.18.0.19:8080"');

const read = (access: string[], texts: Partial<LogTexts> = {}) =>
  readTrafficServerLogs('proxy', { access: access.join('\n'), diags: '', records: '', parents: ONE, ...texts });
const first = (access: string, texts: Partial<LogTexts> = {}) => read([access], texts).sightings[0];

const ANSWERED =
  '0.1.5.0 1795637796155 1795637797160 200 198.18.0.3 38866 TCP_MISS PARENT_HIT FIN 200 0 198.18.0.18 8080 1795637796155 1795637796155 1795637796156 1795637796156 GET /event OK';
const NO_PORT =
  '0.1.50.0 1795637796335 1795637796335 502 198.18.0.3 39318 ERR_CONNECT_FAIL DIRECT INTR 000 4 198.18.0.18 8080 1795637796335 1795637796335 1795637796335 0 GET /event Next Hop Connection Failed';
const HELD_DOWN =
  '0.1.98.0 1795637796527 1795637796527 502 198.18.0.3 39756 ERR_CONNECT_FAIL DIRECT FIN 000 0 0 0 0 0 0 0 GET /event Next Hop Connection Failed';

it('tells a request that was answered, with the time of its handshake', () => {
  expect(read([ANSWERED, ''])).toEqual({
    incidents: [],
    sightings: [
      {
        id: '0.1.5.0',
        host: 'proxy',
        startedAt: 1795637796155,
        endedAt: 1795637797160,
        status: 200,
        peer: '198.18.0.3:38866',
        tries: [
          {
            to: '198.18.0.18:8080',
            result: 'answered',
            startedAt: 1795637796155,
            endedAt: 1795637797160,
            connectMs: 1,
            evidence: ANSWERED,
          },
        ],
        evidence: ANSWERED,
      },
    ],
  });
});

it('leaves out connections without a request, and a line that was cut off', () => {
  const knock = '- 1795637740618 1795637740619 000 198.18.0.2 30054 ERR_CLIENT_ABORT EMPTY FIN 000 0 0 0 0 0 0 0 - - -';
  expect(read([knock, ANSWERED.slice(0, 60)]).sightings).toEqual([]);
});

describe('a connection that did not come about', () => {
  it('has no reason in the log, and was tried five times, twice at each backend in turn', () => {
    const last = NO_PORT.replace('4 198.18.0.18', '4 198.18.0.19');
    const { tries, status } = first(last, { parents: TWO });
    expect(status).toBe(502);
    expect(tries.map(({ to, result }) => [to, result])).toEqual([
      ['198.18.0.19:8080', 'connect-failed'],
      ['198.18.0.19:8080', 'connect-failed'],
      ['198.18.0.18:8080', 'connect-failed'],
      ['198.18.0.18:8080', 'connect-failed'],
      ['198.18.0.19:8080', 'connect-failed'],
    ]);
    expect(tries[0]).not.toHaveProperty('connectMs');
  });

  it('is tried as often as the configuration says', () => {
    const records = 'CONFIG proxy.config.http.parent_proxy.total_connect_attempts INT 0\n';
    expect(first(NO_PORT.replace('000 4', '000 0'), { records }).tries).toHaveLength(1);
    const parted = 'CONFIG proxy.config.http.parent_proxy.per_parent_connect_attempts INT 1\n';
    const { tries } = first(NO_PORT.replace('000 4', '000 2'), { records: parted, parents: TWO });
    // The third one found no backend left.
    expect(tries.map(({ to }) => to)).toEqual(['198.18.0.19:8080', '198.18.0.18:8080']);
  });

  it('timed out where it took a second or more', () => {
    const line =
      'r-1 1795636804193 1795636813854 502 198.18.1.2 37160 ERR_CONNECT_FAIL DIRECT INTR 000 4 198.18.0.18 8080 1795636804214 1795636811862 1795636813853 0 GET /event Next Hop Connection Failed';
    expect(first(line).tries.map(({ result }) => result)).toEqual(new Array(5).fill('connect-timeout'));
  });

  it('hangs now and then at another backend, until the visitor leaves: the tries before it had failed at once', () => {
    const line =
      '0.1.219.0 1795637942824 1795637946816 000 198.18.0.4 51796 ERR_CLIENT_ABORT EMPTY INTR 000 2 198.18.0.19 8080 1795637942824 1795637942824 1795637942824 0 GET /event -';
    const { tries, status } = first(line, { parents: TWO });
    expect(status).toBe(499);
    expect(tries.map(({ to, result }) => [to, result])).toEqual([
      ['198.18.0.18:8080', 'connect-failed'],
      ['198.18.0.18:8080', 'connect-failed'],
      ['198.18.0.19:8080', 'connect-timeout'],
    ]);
  });
});

describe('a backend that was marked down', () => {
  const DIAGS = `[Nov 25 20:16:36.335] [ET_NET 1] NOTE: Parent initially marked as down 198.18.0.18:8080
[Nov 25 20:16:36.350] [ET_NET 0] NOTE: Failure threshold met failcount:10 >= threshold:10, http parent proxy 198.18.0.18:8080 marked down
`;

  it('is refused without a try', () => {
    expect(first(HELD_DOWN).tries).toEqual([
      { to: undefined, result: 'no-live-backend', endedAt: 1795637796527, evidence: HELD_DOWN },
    ]);
  });

  it('was so by the failed try of that moment', () => {
    const tenth = NO_PORT.replace('0.1.50.0 1795637796335 1795637796335', '0.1.53.0 1795637796349 1795637796350')
      .replace('000 4', '000 2')
      .replaceAll(' 1795637796335', ' 1795637796349');
    const { sightings } = read([NO_PORT, tenth, ANSWERED, HELD_DOWN], { diags: DIAGS });
    const marked = sightings.flatMap(({ id, tries }) => tries.filter((one) => one.markedDown).map(() => id));
    expect(marked).toEqual(['0.1.53.0']);
    expect(sightings[1].tries.at(-1)?.evidence).toContain('Failure threshold met failcount:10');
  });
});

it('waits in the queue for a backend, and looks every 100 ms', () => {
  const served =
    'r-6 1795636775191 1795636777180 200 198.18.1.2 53506 TCP_MISS PARENT_HIT FIN 200 0 198.18.0.18 8080 1795636775191 1795636776160 1795636776160 1795636776160 GET /event OK';
  expect(first(served)).toMatchObject({
    queuedMs: 969,
    queuedAt: 1795636775191,
    tries: [{ result: 'answered', startedAt: 1795636776160 }],
  });
  const left =
    '1.1.20.0 1795637809372 1795637810872 000 198.18.0.3 46270 ERR_CLIENT_ABORT EMPTY FIN 000 0 198.18.0.18 8080 1795637809372 1795637810869 1795637810869 0 GET /event -';
  expect(first(left)).toMatchObject({ status: 499, queuedMs: 1500, tries: [] });
});

it.each([
  [
    'connection-limit',
    '5.1.50.0 1795637636141 1795637636141 503 198.18.0.3 33358 TCP_MISS DIRECT FIN 000 4 198.18.0.18 8080 1795637636141 1795637636141 0 0 GET /event Next Hop Congested',
  ],
  [
    'response-timeout',
    '11.1.38.0 1795637675317 1795637676812 504 198.18.0.3 33018 ERR_READ_TIMEOUT TIMEOUT_DIRECT TIMEOUT 000 0 198.18.0.18 8080 1795637675317 1795637675317 1795637675317 1795637675317 GET /event Next Hop Timeout',
  ],
  [
    'response-timeout',
    'a-1 1795636889675 1795636890375 000 198.18.1.2 52186 ERR_CLIENT_ABORT EMPTY FIN 000 0 198.18.0.18 8080 1795636889693 1795636889693 1795636889694 1795636889694 GET /event -',
  ],
  [
    'connect-timeout',
    'a-0 1795636914219 1795636914911 000 198.18.1.2 55892 ERR_CLIENT_ABORT EMPTY FIN 000 0 198.18.0.18 8080 1795636914237 1795636914237 1795636914237 0 GET /event -',
  ],
  [
    'closed-early',
    'r-0 1795636719729 1795636719806 200 198.18.1.2 56698 ERR_READ_ERROR PARENT_HIT INTR 200 0 198.18.0.18 8080 1795636719748 1795636719748 1795636719748 1795636719748 GET /event OK',
  ],
])('tells a try that ended as %s', (result, line) => {
  expect(first(line).tries.map((one) => one.result)).toEqual([result]);
});

it('tries a request again that the backend ended without an answer', () => {
  const line =
    'r-0 1795636708684 1795636708973 502 198.18.1.2 55236 ERR_CONNECT_FAIL DIRECT FIN 000 4 198.18.0.18 8080 1795636708703 1795636708921 1795636708921 1795636708921 GET /event Next Hop Connection Failed';
  expect(first(line).tries.map(({ result }) => result)).toEqual(new Array(5).fill('closed-early'));
});

it('is short of descriptors from its warning on until the end of the log: it is told once in ten minutes', () => {
  const warning =
    '[Nov 25 20:16:35.252] [ACCEPT 0:80] WARNING: too many connections, throttling.  connection_type=ACCEPT, current_connections=59, net_connections_throttle=58';
  const { incidents } = read([ANSWERED], { diags: `${warning}\n` });
  const at = Date.parse('2026-11-25T20:16:35.252Z');
  expect(incidents).toEqual(
    [0, 1, 2].map((second) => ({ host: 'proxy', at: at + second * 1000, cause: 'file-limit', evidence: warning })),
  );
});
