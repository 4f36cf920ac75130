/** What is read from files of /proc, from options, and shown: as the kernel writes it, and as people type it. */
import { describe, expect, it } from 'vitest';
import { pickNumbers, procFile } from '../../src/sys/proc-file.js';
import { parseSockstat } from '../../src/watch/kernel-facts.js';
import { listenAddress, readWatchOptions, type WatchFlags } from '../../src/watch/options.js';

const NETSTAT = `TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPLast
TcpExt: 7 165 166 3
IpExt: InNoRoutes InOctets
IpExt: 1 29478
`;

describe('the kernel`s files', () => {
  it('give the wanted numbers of a group, in their order, and 0 for one that this kernel lacks', () => {
    expect(pickNumbers('TcpExt', ['ListenDrops', 'ListenOverflows', 'TCPLast', 'Unheard'])(NETSTAT)).toEqual([
      166, 165, 3, 0,
    ]);
    expect(pickNumbers('IpExt', ['InOctets'])(NETSTAT)).toEqual([29_478]);
    expect(pickNumbers('MPTcpExt', ['X'])(NETSTAT)).toEqual([0]);
    expect(pickNumbers('TcpExt', ['ListenDrops'])('')).toEqual([0]);
  });

  it('tell of sockets by line', () => {
    const text = 'sockets: used 550\nTCP: inuse 515 orphan 1 tw 15182 alloc 517 mem 388\nUDP: inuse 0 mem 0\n';
    expect(parseSockstat(text, 'TCP')).toEqual({ inuse: 515, orphan: 1, tw: 15_182, alloc: 517, mem: 388 });
    expect(parseSockstat('', 'TCP')).toEqual({});
  });

  it('are empty where they do not exist', () => {
    expect(procFile('/proc/self/there/is/no/such/file').read()).toBe('');
  });
});

describe('options', () => {
  const DEFAULTS: WatchFlags = {
    interval: '1s',
    top: '10',
    warnAt: '80%',
    warnWithin: '60s',
    cpu: '0.4%',
    logSize: '10M',
    logKeep: '5',
  };

  it('become numbers', () => {
    expect(readWatchOptions({ ...DEFAULTS, once: true, failAt: '80%', log: 'w.log' })).toMatchObject({
      watcher: { top: 10, lines: { at: 0.8, withinSeconds: 60 }, cpuShare: 0.004 },
      intervalMs: 1000,
      failAt: 0.8,
      log: { file: 'w.log', size: '10M', keep: 5 },
    });
  });

  it.each<[Partial<WatchFlags>, string]>([
    [{ interval: '1' }, '--interval 1'],
    [{ interval: '1ms' }, '--interval 1ms'],
    [{ failAt: '80%' }, '--fail-at 80%'],
    [{ once: true, failAt: '80' }, '--fail-at 80'],
    [{ once: true, prometheus: ':9464' }, '--prometheus :9464'],
    [{ prometheus: '9464' }, '--prometheus 9464'],
    [{ prometheus: ':70000' }, '--prometheus :70000'],
    [{ top: '0' }, '--top 0'],
    [{ cpu: '0%' }, '--cpu 0%'],
    [{ log: 'w.log', logSize: '10' }, '--log-size 10'],
  ])('refuse %j and name it', (flags, where) => {
    expect(() => readWatchOptions({ ...DEFAULTS, ...flags })).toThrow(expect.objectContaining({ exitCode: 2, where }));
  });

  it('take an endpoint with and without an address', () => {
    expect(listenAddress(':9464')).toEqual({ host: undefined, port: 9464 });
    expect(listenAddress('127.0.0.1:9464')).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(listenAddress('[::1]:0')).toEqual({ host: '::1', port: 0 });
  });
});
