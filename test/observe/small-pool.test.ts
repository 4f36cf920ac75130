/** The observers against the real kernel: twelve connections, eight ports, one closed port; see the fixture. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type ConntrackEvent, type PortSample, TcpFlag } from '../../src/observe/observations.js';
import type { Seen } from '../../src/observe/observe.js';
import { ipToNumber } from '../../src/sys/libc.js';
import { runFixture } from './run-fixture.js';

interface Packet {
  timeNs: number;
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  sequence: number;
  acknowledgement: number;
  flags: number;
  outgoing: number;
}

interface Report {
  taps: Record<'client' | 'gateway' | 'server', { kernelDrops: number; packets: Packet[] }>;
  conntrack: { events: ConntrackEvent[]; overruns: number };
  forwarded: string[];
  counters: Seen['counters'];
  pools: Seen['pools'];
  lastSample: PortSample;
  refusal: number;
}

const CLIENT = ipToNumber('198.18.0.2');
const GATEWAY = ipToNumber('198.18.1.1');
const SERVER = ipToNumber('198.18.1.2');
const ECONNREFUSED = 111;

let report: Report;

beforeAll(() => {
  report = runFixture('observe-small-pool.mjs');
}, 40_000);

/** The distinct initial sequence numbers of SYNs to the listening port that went through a host in one direction. */
function initialSequences(host: keyof Report['taps'], outgoing: 0 | 1): Set<number> {
  const syns = report.taps[host].packets.filter(
    (packet) =>
      (packet.flags & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.syn &&
      packet.destinationPort === 8080 &&
      packet.outgoing === outgoing,
  );
  return new Set(syns.map((packet) => packet.sequence));
}

/** Initial sequence numbers that entered the gateway and never left it. */
function lost(): number[] {
  const left = initialSequences('gateway', 1);
  return [...initialSequences('gateway', 0)].filter((sequence) => !left.has(sequence));
}

describe('taps', () => {
  it('see each connection by its initial sequence number at every hop, before and after translation', () => {
    expect(initialSequences('client', 1).size).toBe(12);
    expect(initialSequences('gateway', 0)).toEqual(initialSequences('client', 1));
    expect(initialSequences('gateway', 1).size).toBe(8);
    expect(initialSequences('server', 0)).toEqual(initialSequences('gateway', 1));
    expect(lost()).toHaveLength(4);
  });

  it('read addresses and ports', () => {
    for (const packet of report.taps.gateway.packets) {
      if (packet.flags !== TcpFlag.syn || packet.outgoing === 0) continue;
      expect(packet.source).toBe(GATEWAY);
      expect(packet.destination).toBe(SERVER);
      expect(packet.sourcePort).toBeGreaterThanOrEqual(40_000);
      expect(packet.sourcePort).toBeLessThanOrEqual(40_007);
    }
    expect(report.taps.client.packets[0].source).toBe(CLIENT);
  });

  it('see every answer, and that it acknowledges its SYN', () => {
    const answers = report.taps.client.packets.filter((packet) => packet.flags === (TcpFlag.syn | TcpFlag.ack));
    const acknowledged = answers.map((packet) => (packet.acknowledgement - 1) >>> 0);
    expect(new Set(acknowledged)).toEqual(initialSequences('gateway', 1));
  });

  it('see the RST of a port where nothing listens, and which way it went', () => {
    expect(report.refusal).toBe(ECONNREFUSED);
    const resets = report.taps.server.packets.filter((packet) => (packet.flags & TcpFlag.rst) !== 0);
    expect(resets).toHaveLength(1);
    expect(resets[0]).toMatchObject({ sourcePort: 9, outgoing: 1, source: SERVER, destination: GATEWAY });
  });

  it('give their rows in the order of time, and miss nothing', () => {
    for (const { packets, kernelDrops } of Object.values(report.taps)) {
      const times = packets.map((packet) => packet.timeNs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(kernelDrops).toBe(0);
    }
  });
});

describe("the gateway's connection table", () => {
  const events = (type: 'new' | 'destroy') =>
    report.conntrack.events.filter((event) => event.type === type && event.destination === '198.18.1.2:8080');

  it('tells of eight new entries, each under a port of its own', () => {
    const translated = events('new').map((event) => event.translated);
    expect(translated.toSorted()).toEqual(Array.from({ length: 8 }, (_, i) => `198.18.1.1:${40_000 + i}`));
    expect(report.conntrack.overruns).toBe(0);
  });

  it('tells the state in which an entry ended', () => {
    expect(events('destroy').map((event) => event.state)).toEqual(Array(8).fill('ESTABLISHED'));
    expect(events('destroy').map((event) => event.translated)).toEqual(
      expect.arrayContaining(events('new').map((event) => event.translated)),
    );
  });

  it('dates an entry between its SYN coming in and going out, on the clock of the taps', () => {
    for (const event of events('new')) {
      const sourcePort = Number(event.source.split(':')[1]);
      const gateway = report.taps.gateway.packets;
      const incoming = gateway.find((packet) => packet.outgoing === 0 && packet.sourcePort === sourcePort)!;
      const out = gateway.find((packet) => packet.outgoing === 1 && packet.sequence === incoming.sequence)!;
      expect(event.timeNs).toBeGreaterThanOrEqual(incoming.timeNs);
      expect(event.timeNs).toBeLessThanOrEqual(out.timeNs);
    }
  });
});

describe('the forward set', () => {
  it('holds the SYNs that found no port, because they reached the forward chain', () => {
    const forwarded = new Set(report.forwarded);
    expect(lost().filter((sequence) => forwarded.has(`198.18.0.2:${sequence}`))).toHaveLength(4);
    expect(forwarded.size).toBe(13);
  });
});

describe('pools, samples and counters', () => {
  it("count the gateway's ports exactly, and a client's by its sockets", () => {
    expect(report.pools.gateway).toEqual({ capacity: 8, peak: 8, peakShare: 1 });
    expect(report.pools.client).toEqual({ capacity: 100, peak: 12, peakShare: 0.12 });
    expect(report.pools.server).toBeUndefined();
  });

  it('follow the table when entries end', () => {
    expect(report.lastSample.inUse).toEqual({ client: 12, gateway: 0 });
  });

  it('tell the states of sockets, and of requests', () => {
    expect(report.lastSample.states.client).toEqual({ ESTABLISHED: 8, SYN_SENT: 4 });
    expect(report.lastSample.states.server).toEqual({ ESTABLISHED: 8 });
    expect(report.lastSample).toMatchObject({ due: 12, completed: 8, dropped: 4 });
  });

  it('agree with the kernel', () => {
    expect(report.counters.gateway['conntrack.insert_failed']).toBeGreaterThanOrEqual(4);
    expect(report.counters.gateway['conntrack.maxEntries']).toBeGreaterThan(0);
    expect(report.counters.server['Tcp.PassiveOpens']).toBe(8);
    expect(report.counters.server['Tcp.OutRsts']).toBe(1);
    expect(report.counters.client['Tcp.ActiveOpens']).toBe(13);
  });
});
