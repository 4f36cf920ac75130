/** `attacker`: a host that attacks the chain while visitors use it; bounded, aimed only at the testbed, with an account of its own. */
import { z } from 'zod';
import type { AttackerOptions } from '../attacks/attacker.js';
import { ATTACKS, type AttackName, type AttackReport } from '../attacks/report.js';
import { usageError } from '../errors.js';
import { duration, portRange, rate } from '../scenario/units.js';
import type { Host } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import { endProcesses } from './end-process.js';
import { defineKind, type KnobProblem, type NodeContext, type RunningNode } from './kind.js';
import { commonKnobs, count } from './knobs.js';
import { awaitLine, spawnServer } from './server-daemon.js';

const MOST_PER_SECOND = 5000;
const LONGEST_MS = 600_000;

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  /** What it does. */
  attack: z.enum(ATTACKS),
  /** The node that it attacks; absent: the first proxy or server down its chain. */
  target: z.string().optional(),
  /** Attempts per second of each of its hosts. */
  rate: rate.default(50),
  /** Attempts in all of each of its hosts, at most. */
  attempts: count(1, 100_000).default(10_000),
  /** When it begins, ms after the start of the traffic. */
  after: duration.default(0),
  /** How long it goes on at most, ms. */
  for: duration.default(10_000),
  /** `hold-connections`: how many it wants to hold at a time, per host. */
  connections: count(1, 20_000).optional(),
  /** `port-scan`: the ports that it tries on each host of its target. */
  scanPorts: portRange.optional(),
  /** `brute-force`: the account. */
  user: z.string().optional(),
});

/** The knobs of an attacker, resolved. */
export type AttackerSpec = z.output<typeof knobs>;

const DEFAULT_CONNECTIONS = 1000;
const DEFAULT_SCAN = { lo: 1, hi: 1024 } as const;
const DEFAULT_USER = 'organiser';

/** The kind `attacker`: a program of this package (`attacks/attacker.ts`) that begins at a signal, `after` the traffic's start. */
export const attacker = defineKind({
  kind: 'attacker',
  layer: 'client',
  summary:
    'A host that attacks the chain: port scan, held connections, connection flood, brute force. Not one of the visitors.',
  commands: {},
  image: 'attacker',
  knobs,
  refuse,
  start,
});

/** Knobs that only one attack knows. */
const ONLY_FOR: [knob: 'connections' | 'scanPorts' | 'user', attack: AttackName][] = [
  ['connections', 'hold-connections'],
  ['scanPorts', 'port-scan'],
  ['user', 'brute-force'],
];

function refuse(spec: AttackerSpec): KnobProblem[] {
  const problems = ONLY_FOR.filter(([knob, attack]) => spec[knob] !== undefined && spec.attack !== attack).map(
    ([knob, attack]): KnobProblem => ({
      path: [knob],
      message: `\`${knob}\` is for \`attack: ${attack}\`, not for \`${spec.attack}\``,
      hint: `leave out \`${knob}\``,
    }),
  );
  if (spec.rate > MOST_PER_SECOND)
    problems.push({
      path: ['rate'],
      message: `an attack of ${spec.rate} attempts a second would measure this machine`,
      hint: `at most ${MOST_PER_SECOND}/s; use more \`hosts\``,
    });
  if (spec.for > LONGEST_MS)
    problems.push({
      path: ['for'],
      message: 'an attack ends after ten minutes at the latest',
      hint: 'write at most 10m',
    });
  return problems;
}

/** The attack's account of itself, in the log folder. */
const REPORT_FILE = 'attack.json';
const LABEL = 'attacker';

async function start({ host, planned, spec, plan, backends }: NodeContext<AttackerSpec>): Promise<RunningNode> {
  const options: AttackerOptions = {
    attack: spec.attack,
    targets: targetsOf(planned, spec, plan, backends),
    rate: spec.rate,
    attempts: spec.attempts,
    forMs: spec.for,
    connections: spec.connections ?? DEFAULT_CONNECTIONS,
    scanPorts: spec.scanPorts ?? DEFAULT_SCAN,
    user: spec.user ?? DEFAULT_USER,
    report: `${host.logDir}/${REPORT_FILE}`,
  };
  const { openFiles } = spec;
  const process = await spawnServer(host, LABEL, options, { label: LABEL, openFiles, folder: 'attacks' });
  await awaitLine(host, process, LABEL, /^ready$/m, 'is not ready');
  return {
    processes: [process],
    begin: { afterMs: spec.after, now: () => process.signal('SIGUSR2') },
    stop: () => endProcesses([process]),
  };
}

function targetsOf(planned: PlannedHost, spec: AttackerSpec, plan: Plan, backends: AttackerOptions['targets']) {
  if (spec.target === undefined) return backends.map(({ address, port }) => ({ address, port }));
  const targets = plan.hosts
    .filter(({ node, name }) => node === spec.target && plan.listeners[name] !== undefined)
    .map(({ name }) => plan.listeners[name]);
  if (targets.length === 0)
    throw usageError(
      `nothing of \`${spec.target}\` is there to attack`,
      `topology.${planned.node}.target`,
      'name a proxy or a server that a client reaches',
    );
  return targets.map(({ address, port }) => ({ address, port }));
}

/** What an attacker's host did; undefined for any other host. */
export async function readAttack(host: Host, { kind }: PlannedHost): Promise<AttackReport | undefined> {
  if (kind !== 'attacker') return undefined;
  const text = await host.readFile(REPORT_FILE);
  return text === '' ? undefined : (JSON.parse(text) as AttackReport);
}
