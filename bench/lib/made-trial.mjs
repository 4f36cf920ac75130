/**
 * A trial of any size as it stands when the sending is over, made instead of measured: four client hosts, a gateway whose pool runs out,
 * two servers, a new connection for each request. Every 20th request is lost in the gateway, every 100th completes after its SYN was
 * repeated. What the taps, the connection table and the servers would have seen of it is all there, so the ledger has its whole work.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { newColumns } from '../../dist/observe/columns.js';
import { CONNTRACK_SHAPE, conntrackLog, ENTRY_STATES, EntryEvent } from '../../dist/observe/conntrack-table.js';
import { TcpFlag } from '../../dist/observe/observations.js';
import { synTable } from '../../dist/observe/syn-table.js';
import { flagsOf, isnOf, TAP_SHAPE, tapTable } from '../../dist/observe/tap-table.js';
import { parseScenario } from '../../dist/scenario/parse.js';
import { ipToNumber } from '../../dist/sys/ip.js';
import { makePlan } from '../../dist/topology/make-plan.js';
import { outcomes, RequestState } from '../../dist/traffic/outcomes.js';
import { makeTrafficPlan } from '../../dist/traffic/traffic-plan.js';

const MS = 1e6;
const RATE = 5000;
/** What a request takes from its handshake on: 10 to 50 ms, spread over whole microseconds. */
const tookNs = (request) => 10 * MS + ((request * 7919) % 40_000) * 1000;
const HOP_NS = 0.05 * MS;
const REPEAT_NS = 1000 * MS;
const TIMEOUT_NS = 3000 * MS;
const PORTS = 60_000;
const FIRST_PORT = 2000;
export const STARTED_AT = 1_800_000_000_000;
export const ID_PREFIX = '0.1';

/** What ClientError.connectTimeout is, and ETIMEDOUT. */
const [CONNECT_TIMEOUT, ETIMEDOUT] = [2, 110];

const scenarioText = (seconds) => `name: bench-attribution
topology:
  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: 20000-20499, to: shop }
  shop: { kind: fixed, hosts: 2 }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  process: uniform
  timeout: { connect: 3s }
  arrivals: [{ for: ${seconds}s, rate: ${RATE}/s }]
`;

/** The scenario, its one variant, the plan, and the traffic: a whole number of seconds at 5,000 a second. */
export function madeScenario(requests) {
  const seconds = Math.max(1, Math.round(requests / RATE));
  const scenario = parseScenario(scenarioText(seconds), 'bench.yaml', {}, () => '');
  const [variant] = scenario.variants;
  const plan = makePlan(variant);
  const hosts = new Map(plan.hosts.map(({ name }) => [name, { netns: null }]));
  const traffic = makeTrafficPlan(variant, plan, hosts, { seed: 1, idPrefix: ID_PREFIX });
  return { scenario, variant, plan, traffic };
}

const isLost = (request) => request % 20 === 19;
const isLate = (request) => request % 100 === 50;
export const lostOf = (requests) => Math.floor(requests / 20);
const portOf = (request, clients) => FIRST_PORT + (Math.floor(request / clients) % PORTS);
const translatedPortOf = (request) => FIRST_PORT + (request % PORTS);
/** Odd, so that no two of 2^32 are the same. */
const sequenceOf = (request) => (request * 4001 + 12_345) >>> 0;

/** The way of a request: who, from where, to where, when. */
function wayOf({ traffic, plan }, request) {
  const clients = traffic.clients.length;
  const client = request % clients;
  const { targets } = traffic.clients[client];
  const turn = Math.floor(request / clients) % targets.length;
  const address = (name, side) =>
    plan.hosts.find((host) => host.name === name).interfaces.find((one) => one.name === side).addresses[0];
  return { client, turn, clients, targets, address };
}

/** Writes the servers' request logs into `folders`, by host name, as the program `fixed` does. */
export function writeLogs(made, folders) {
  const { traffic } = made;
  const { address } = wayOf(made, 0);
  const edge = address('edge', 'back0');
  const files = Object.fromEntries(
    Object.entries(folders).map(([name, folder]) => [name, openSync(`${folder}/requests.log`, 'w')]),
  );
  const gathered = Object.fromEntries(Object.keys(files).map((name) => [name, []]));
  for (let request = 0; request < traffic.arrivalsNs.length; request++) {
    if (isLost(request)) continue;
    const { turn, targets } = wayOf(made, request);
    const s = STARTED_AT + (traffic.arrivalsNs[request] + (isLate(request) ? REPEAT_NS : 0)) / MS + 0.2;
    const { host } = targets[turn];
    const peer = `${edge}:${translatedPortOf(request)}`;
    gathered[host].push(
      JSON.stringify({
        t: s + tookNs(request) / MS,
        s,
        id: `${ID_PREFIX}.${request}.0`,
        peer,
        status: 200,
        method: 'GET',
        path: '/event',
      }),
    );
    if (gathered[host].length === 10_000) writeSync(files[host], `${gathered[host].splice(0).join('\n')}\n`);
  }
  for (const [host, fd] of Object.entries(files)) {
    writeSync(fd, gathered[host].map((line) => `${line}\n`).join(''));
    closeSync(fd);
  }
}

/** What the client saw. */
export function madeOutcomes({ traffic }) {
  const requests = traffic.arrivalsNs.length;
  const all = outcomes(requests, 1);
  const clients = traffic.clients.length;
  for (let row = 0; row < requests; row++) {
    const due = traffic.arrivalsNs[row];
    for (const name of ['dueNs', 'sentNs', 'lastTryNs', 'connectNs']) all[name][row] = due;
    all.attempts[row] = 1;
    all.connection[row] = row;
    all.client[row] = row % clients;
    all.target[row] = Math.floor(row / clients) % traffic.clients[row % clients].targets.length;
    all.localPort[row] = portOf(row, clients);
    all.synRetransmits[row] = isLost(row) || isLate(row) ? 1 : 0;
    if (isLost(row)) {
      all.state[row] = RequestState.dropped;
      all.error[row] = CONNECT_TIMEOUT;
      all.errno[row] = ETIMEDOUT;
      all.doneNs[row] = due + TIMEOUT_NS;
      continue;
    }
    const connected = due + (isLate(row) ? REPEAT_NS : 0) + 6 * HOP_NS;
    all.state[row] = RequestState.completed;
    all.status[row] = 200;
    all.connectedNs[row] = connected;
    all.firstByteNs[row] = connected + tookNs(row);
    all.doneNs[row] = connected + tookNs(row);
  }
  return all;
}

/** What a generator says of itself that was on time. */
export const GENERATOR = {
  engine: 'socket',
  lateP50Ms: 0.1,
  lateP99Ms: 0.3,
  lateMaxMs: 2,
  cpuSeconds: 1,
  userSeconds: 1,
  systemSeconds: 1,
  ownFailures: 0,
  timer: '',
  notes: [],
};

/** A tap with room for so many segments. */
function tapWriter(host, room) {
  const columns = newColumns(TAP_SHAPE, room);
  let length = 0;
  return {
    add(timeNs, from, to, sequence, acknowledgement, outgoing) {
      const flags = acknowledgement === 0 ? TcpFlag.syn : TcpFlag.syn | TcpFlag.ack;
      columns.timeNs[length] = timeNs;
      [columns.source[length], columns.sourcePort[length]] = from;
      [columns.destination[length], columns.destinationPort[length]] = to;
      columns.isn[length] = isnOf(flags, sequence, acknowledgement);
      columns.flags[length] = flagsOf(flags, outgoing);
      length++;
    },
    table: () => tapTable(host, columns, length, 0),
  };
}

/** A connection table's log with room for so many events. */
function tableWriter(host, room) {
  const columns = newColumns(CONNTRACK_SHAPE, room);
  let length = 0;
  return {
    add(timeNs, type, state, from, to, translated) {
      columns.timeNs[length] = timeNs;
      columns.type[length] = type;
      columns.state[length] = ENTRY_STATES.indexOf(state);
      [columns.source[length], columns.sourcePort[length]] = from;
      [columns.destination[length], columns.destinationPort[length]] = to;
      [columns.translated[length], columns.translatedPort[length]] = translated;
      length++;
    },
    log: () => conntrackLog(host, columns, length, 0),
  };
}

/** What was observed, as `startObserving(…).stop()` gives it. */
export function madeSeen(made) {
  const { traffic, plan } = made;
  const requests = traffic.arrivalsNs.length;
  const { address, clients } = wayOf(made, 0);
  const room = { buyers: Math.ceil((requests / clients) * 2.2), shop: requests * 1.1 + 8, edge: requests * 4.4 };
  const taps = Object.fromEntries(
    plan.hosts.map(({ name, node }) => [name, tapWriter(name, Math.ceil(room[node]) + 8)]),
  );
  const ips = Object.fromEntries(
    plan.hosts.filter(({ layer }) => layer === 'client').map(({ name }) => [name, address(name, 'back0')]),
  );
  const edge = ipToNumber(address('edge', 'back0'));
  const table = tableWriter('edge', requests * 2);
  const senders = new Uint32Array(requests);
  const sequences = new Uint32Array(requests);
  for (let request = 0; request < requests; request++) {
    const { client, turn, targets } = wayOf(made, request);
    const { host: buyer } = traffic.clients[client];
    const to = [ipToNumber(targets[turn].address), targets[turn].port];
    const from = [ipToNumber(ips[buyer]), portOf(request, clients)];
    const translated = [edge, translatedPortOf(request)];
    const isn = sequenceOf(request);
    const due = traffic.arrivalsNs[request];
    const copies = isLost(request) || isLate(request) ? [due, due + REPEAT_NS] : [due];
    senders[request] = from[0];
    sequences[request] = isn;
    copies.forEach((at, index) => {
      taps[buyer].add(at + HOP_NS / 2, from, to, isn, 0, true);
      taps.edge.add(at + HOP_NS, from, to, isn, 0, false);
      if (isLost(request) || index + 1 < copies.length) return;
      const answer = (isn + 77) >>> 0;
      const acknowledged = (isn + 1) >>> 0;
      const shop = taps[targets[turn].host];
      taps.edge.add(at + 2 * HOP_NS, translated, to, isn, 0, true);
      shop.add(at + 3 * HOP_NS, translated, to, isn, 0, false);
      shop.add(at + 4 * HOP_NS, to, translated, answer, acknowledged, true);
      taps.edge.add(at + 5 * HOP_NS, to, translated, answer, acknowledged, false);
      taps.edge.add(at + 5.5 * HOP_NS, to, from, answer, acknowledged, true);
      taps[buyer].add(at + 5.8 * HOP_NS, to, from, answer, acknowledged, false);
      table.add(at + 2 * HOP_NS, EntryEvent.new, 'SYN_SENT', from, to, translated);
      table.add(at + tookNs(request) + 120_000 * MS, EntryEvent.destroy, 'TIME_WAIT', from, to, translated);
    });
  }
  const samples = Array.from({ length: Math.ceil(requests / RATE) * 10 }, (_, tenth) => ({
    timeNs: tenth * 100 * MS,
    inUse: { edge: 300 + (tenth % 200), buyers: 900 },
    timeWait: { edge: 0, buyers: 400 },
    states: { buyers: { ESTABLISHED: 400, TIME_WAIT: 500 }, shop: { ESTABLISHED: 400 } },
    due: tenth * 500,
    completed: tenth * 475,
    dropped: tenth * 25,
    cpu: { generator: tenth / 100, shop: tenth / 100 },
  }));
  return {
    taps: Object.fromEntries(Object.entries(taps).map(([name, tap]) => [name, tap.table()])),
    conntrack: { edge: table.log() },
    counters: { edge: { 'conntrack.insert_failed': lostOf(requests) * 2 } },
    forwarded: { edge: synTable(senders, sequences) },
    refusedSyns: {},
    pools: {
      edge: { capacity: 500, peak: 500, peakShare: 1 },
      buyers: { capacity: 28_232, peak: 900, peakShare: 0.032 },
    },
    samples,
  };
}
