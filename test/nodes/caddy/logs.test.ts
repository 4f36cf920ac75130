/** Log lines as Caddy 2.6.2 wrote them. */
import { describe, expect, it } from 'vitest';
import { readCaddyLog } from '../../../src/nodes/caddy/logs.js';

const AT = 1_795_636_543;

interface Written {
  id?: string;
  /** Seconds after the beginning. */
  at?: number;
  duration?: number;
  status?: number;
  error?: string;
  upstream?: string;
}

const request = (id: string) =>
  `"request":{"remote_ip":"198.18.0.9","remote_port":"40001","proto":"HTTP/1.1","method":"GET","host":"198.18.0.9","uri":"/event","headers":{"X-Request-Id":["${id}"],"X-Forwarded-For":["198.18.0.9"]}}`;

/** A try at a backend: that it answered, or the error. */
function roundtrip({
  id = 'r1.1',
  at = 0,
  duration = 0.000098794,
  status = 200,
  error,
  upstream = '198.18.0.2:8080',
}: Written) {
  const end = error === undefined ? `"status":${status}` : `"error":${JSON.stringify(error)}`;
  return `{"level":"debug","ts":${AT + at},"logger":"http.handlers.reverse_proxy","msg":"upstream roundtrip","upstream":"${upstream}","duration":${duration},${request(id)},${end}}`;
}

/** Why a request was answered with an error. */
const failure = (error: string, { id = 'r1.1', at = 0, status = 502 }: Written = {}) =>
  `{"level":"error","ts":${AT + at},"logger":"http.log.error.log0","msg":${JSON.stringify(error)},${request(id)},"duration":0.000217756,"status":${status},"err_id":"z2xxgkt24","err_trace":"reverseproxy.statusError (reverseproxy.go:1272)"}`;

/** The last line of a request. */
const handled = ({ id = 'r1.1', at = 0, duration = 0.000217756, status = 502 }: Written = {}) =>
  `{"level":"error","ts":${AT + at},"logger":"http.log.access.log0","msg":"handled request",${request(id)},"user_id":"","duration":${duration},"size":0,"status":${status}}`;

const selected = `{"level":"debug","ts":${AT},"logger":"http.handlers.reverse_proxy","msg":"selected upstream","dial":"198.18.0.2:8080","total_upstreams":1}`;
const unhealthy = (at: number, rest: string) =>
  `{"level":"info","ts":${AT + at},"logger":"http.handlers.reverse_proxy.health_checker.active",${rest},"host":"198.18.0.2:8080"}`;

const NO_PORT = 'dial tcp 198.18.0.2:8080: connect: cannot assign requested address';
const NONE = 'no upstreams available';

const read = (lines: string[], config = '') => readCaddyLog('balancer', `${lines.join('\n')}\n`, config);
const resultsOf = (lines: string[], config = '') =>
  read(lines, config).sightings.map(({ tries }) => tries.map(({ result }) => result));

describe("Caddy's log", () => {
  it('tells of an answered request', () => {
    const lines = [
      selected,
      roundtrip({ at: 0.0576, duration: 0.054 }),
      handled({ at: 0.0578, duration: 0.0544, status: 200 }),
    ];
    const [sighting, ...others] = read(lines).sightings;
    expect(others).toEqual([]);
    expect(sighting).toMatchObject({ id: 'r1.1', host: 'balancer', status: 200, peer: '198.18.0.9:40001' });
    expect(sighting.endedAt - sighting.startedAt).toBeCloseTo(54.4);
    const [one] = sighting.tries;
    expect(one).toMatchObject({ to: '198.18.0.2:8080', result: 'answered' });
    expect(one.endedAt - one.startedAt!).toBeCloseTo(54);
  });

  it.each([
    [NO_PORT, 'no-local-port'],
    ['dial tcp 198.18.0.2:8080: connect: connection refused', 'refused'],
    ['dial tcp 198.18.0.77:8080: connect: network is unreachable', 'unreachable'],
    ['dial tcp 198.18.0.2:8080: socket: too many open files', 'file-limit'],
    ['dial tcp 198.18.0.2:8080: i/o timeout', 'connect-timeout'],
    ['net/http: timeout awaiting response headers', 'response-timeout'],
    ['read tcp 198.18.0.2:54558->198.18.0.2:8080: i/o timeout', 'response-timeout'],
    ['read tcp 198.18.0.2:52380->198.18.0.2:8080: read: connection reset by peer', 'reset'],
    ['EOF', 'closed-early'],
    ['net/http: HTTP/1.x transport connection broken: malformed HTTP response', 'failed'],
  ])('knows by "%s" that the try ended as %s', (error, result) => {
    const [sighting] = read([roundtrip({ error }), failure(error), handled()]).sightings;
    expect(sighting).toMatchObject({ status: 502, tries: [{ to: '198.18.0.2:8080', result }] });
    expect(sighting.tries[0].evidence).toContain(error);
  });

  it('has the address that a try came from where the error names it', () => {
    const error = 'read tcp 198.18.0.2:52380->198.18.0.2:8080: read: connection reset by peer';
    expect(read([roundtrip({ error }), handled()]).sightings[0].tries[0].from).toBe('198.18.0.2:52380');
  });

  it('has each try of a request that was tried again', () => {
    const tries = ['198.18.0.2:8080', '198.18.0.3:8080'].map((upstream, at) =>
      roundtrip({ error: NO_PORT, upstream, at }),
    );
    const [{ tries: seen }] = read([...tries, failure(NO_PORT, { at: 2 }), handled({ at: 2 })]).sightings;
    expect(seen.map(({ to, result }) => [to, result])).toEqual([
      ['198.18.0.2:8080', 'no-local-port'],
      ['198.18.0.3:8080', 'no-local-port'],
    ]);
  });

  it('tells the quake, which had the backend held down, from the aftershock', () => {
    const lines = [
      roundtrip({ error: NO_PORT }),
      failure(NO_PORT),
      handled(),
      failure(NONE, { id: 'r2.1', status: 503 }),
      handled({ id: 'r2.1', status: 503 }),
    ];
    const [quake, aftershock] = read(lines, '\tfail_duration 10s\n').sightings;
    expect(quake.tries).toMatchObject([{ result: 'no-local-port', markedDown: true }]);
    expect(aftershock.tries).toMatchObject([{ to: undefined, result: 'no-live-backend' }]);
    expect(read(lines).sightings[0].tries[0].markedDown).toBeUndefined();
  });

  it('of a limit of requests per backend has the same words: it is the limit while nothing has failed', () => {
    const refused = [failure(NONE, { at: 20, status: 503 }), handled({ at: 20, status: 503 })];
    const failedBefore = (at: number) => [roundtrip({ error: NO_PORT, id: 'r0.1', at }), ...refused];
    const config = '\tunhealthy_request_count 5\n\tmax_fails 1\n\tfail_duration 10s\n';
    expect(resultsOf(refused, config)).toEqual([['connection-limit']]);
    expect(resultsOf(failedBefore(5), config)).toEqual([['connection-limit']]);
    expect(resultsOf(failedBefore(15), config)).toEqual([['no-live-backend']]);
    expect(resultsOf(refused, '\tunhealthy_request_count 5\n')).toEqual([['no-live-backend']]);
  });

  it('of a client that left does not say whether the connection stood', () => {
    const lines = [roundtrip({ error: 'context canceled', duration: 0.5 }), handled({ duration: 0.5, status: 0 })];
    expect(read(lines, '\tfail_duration 10s\n').sightings).toMatchObject([
      { status: 499, tries: [{ result: 'no-answer' }] },
    ]);
    expect(read(lines, '\tfail_duration 10s\n').sightings[0].tries[0].markedDown).toBeUndefined();
  });

  it('tells of an answer that was cut off, in a line that names no request', () => {
    const cut = (error: string) =>
      `{"level":"error","ts":${AT + 0.1},"logger":"http.handlers.reverse_proxy","msg":"aborting with incomplete response","error":"${error}"}`;
    const end = handled({ at: 0.1001, duration: 0.1, status: 200 });
    expect(resultsOf([roundtrip({}), cut('unexpected EOF'), end])).toEqual([['closed-early']]);
    const reset = 'read tcp 198.18.0.2:52410->198.18.0.2:8080: read: connection reset by peer';
    expect(resultsOf([roundtrip({}), cut(reset), end])).toEqual([['reset']]);
    expect(resultsOf([roundtrip({}), cut('context canceled'), end])).toEqual([['answered']]);
  });

  it('has each failed check as what it was, and the backend is down after it', () => {
    const lines = [
      unhealthy(0, `"msg":"HTTP request failed","error":"Get \\"http://198.18.0.2:8080/stats\\": ${NO_PORT}"`),
      unhealthy(1, '"msg":"status code out of tolerances","status_code":500'),
      unhealthy(2, '"msg":"host is up"'),
      unhealthy(
        3,
        '"msg":"HTTP request failed","error":"Get \\"http://198.18.0.2:8080/stats\\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"',
      ),
    ];
    expect(read(lines).sightings).toMatchObject([
      {
        id: 'health check of 198.18.0.2:8080',
        tries: [{ to: '198.18.0.2:8080', result: 'no-local-port', markedDown: true }],
      },
      {
        tries: [{ result: 'failed', evidence: 'health check of 198.18.0.2:8080: status code out of tolerances: 500' }],
      },
      { tries: [{ result: 'queue-timeout' }] },
    ]);
    expect(read(lines).sightings).toHaveLength(3);
  });

  it('tells of a listener without descriptors', () => {
    const line = `{"level":"debug","ts":${AT},"logger":"http.stdlib","msg":"http: Accept error: accept tcp 198.18.0.9:80: accept4: too many open files; retrying in 5ms"}`;
    expect(read([line]).incidents).toMatchObject([{ host: 'balancer', at: AT * 1000, cause: 'file-limit' }]);
  });

  it('may end in the middle of a line', () => {
    expect(
      read([roundtrip({}), handled({ status: 200 }), handled({ id: 'r2.1' }).slice(0, 100)]).sightings,
    ).toHaveLength(1);
  });
});

describe('how long requests waited for a connection, of which Caddy says nothing', () => {
  const config = '\ttransport http {\n\t\tmax_conns_per_host 1\n\t}\n';

  it('follows from when those before them were over, in their order', () => {
    // All three came at once; each takes 100 ms of the only connection.
    const lines = [0.1, 0.2, 0.3].flatMap((at, index) => {
      const id = `r${index}.1`;
      return [roundtrip({ id, at, duration: at }), handled({ id, at, duration: at, status: 200 })];
    });
    const waits = read(lines, config).sightings.map(({ queuedMs }) => queuedMs && Math.round(queuedMs));
    expect(waits).toEqual([undefined, 100, 200]);
    expect(read(lines).sightings.map(({ queuedMs }) => queuedMs)).toEqual([undefined, undefined, undefined]);
  });

  it('was in vain for those whose turn never came before they left', () => {
    const first = [
      roundtrip({ id: 'r0.1', at: 3, duration: 3.01 }),
      handled({ id: 'r0.1', at: 3, duration: 3.01, status: 200 }),
    ];
    const second = [
      roundtrip({ at: 1, duration: 1, error: 'context canceled' }),
      handled({ at: 1, duration: 1, status: 0 }),
    ];
    const left = read([...second, ...first], config).sightings.find(({ id }) => id === 'r1.1');
    expect(left).toMatchObject({ status: 499, tries: [{ result: 'queue-timeout' }] });
    expect(left!.queuedMs).toBeCloseTo(1000);
  });
});
