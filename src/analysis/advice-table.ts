/** What helps against each cause, one entry each; an entry names the knobs of all kinds of node, and those that a node lacks are left out later. */
import type { Cause } from '../ledger/causes.js';
import type { ChainNode } from '../record/chain-record.js';
import { spanOfMs } from '../seconds.js';
import type { Advice, AdviceFacts } from './advice.js';
import {
  gatewaysBefore,
  knob,
  knownKind,
  moreBackends,
  moreHosts,
  moreWorkers,
  number,
  proxiesBefore,
  takesKnob,
  targetsOf,
} from './advice-common.js';
import { count, roundUp, withRoom } from './advice-numbers.js';
import { againstExhaustion } from './advice-ports.js';

/** What makes an aftershock smaller. Some count failures only where they are told to. */
export const againstAftershock = ({ kind, spec }: ChainNode, at: string): Advice[] =>
  spec.maxFails === undefined && knownKind(kind)?.holdsDownIfAsked
    ? []
    : [
        {
          do: 'Against the aftershock alone: do not hold a backend down for failed tries.',
          knob: `topology.${at}.maxFails`,
          value: '0',
        },
        { do: 'Or try it again sooner.', knob: `topology.${at}.failTimeout`, value: '1s' },
      ];

/** What to advise against each cause, given the facts of the place where it struck. */
export const ADVICE: Record<Cause, (facts: AdviceFacts) => Advice[]> = {
  'ports-exhausted': againstExhaustion,

  'conntrack-full': (facts) => [
    {
      do: 'Let finished and idle connections leave the table sooner.',
      knob: knob(facts, 'timeouts'),
      value: '{ timeWait: 10s, finWait: 10s, closeWait: 10s }',
    },
    {
      do: 'Raise the size of the table on the machine that is the gateway: net.netfilter.nf_conntrack_max (it holds for the whole machine, so it is no knob of a scenario).',
      because: 'each connection takes one entry, about 320 bytes, for as long as it lives and its TIME_WAIT after it',
    },
  ],

  'accept-queue-full': (facts) => {
    const backlog = number(facts, 'backlog') ?? knownKind(facts.node.kind)?.defaultBacklog;
    const wanted = backlog === undefined ? undefined : roundUp(backlog + facts.lostPerSecond);
    const holds =
      backlog === undefined
        ? ''
        : `a listener with backlog ${count(backlog)} holds ${count(backlog + 1)} finished handshakes until they are accepted; `;
    return [
      {
        do: 'Let more finished handshakes wait.',
        knob: knob(facts, 'backlog'),
        ...(wanted === undefined ? {} : { value: String(wanted) }),
        because: `${holds}in its worst second ${count(facts.lostPerSecond)} more came`,
      },
      ...(wanted !== undefined && wanted > SOMAXCONN
        ? [
            {
              do: 'The kernel caps every backlog; raise the cap as well.',
              knob: knob(facts, 'sysctls.net.core.somaxconn'),
              value: String(wanted),
              because: `net.core.somaxconn is ${count(SOMAXCONN)} unless set`,
            },
          ]
        : []),
      ...moreWorkers(facts),
      ...moreHosts(facts),
    ];
  },

  'connection-limit': (facts) => {
    const { kind } = facts.node;
    const raised = [
      'maxConnections',
      'backendConnections',
      'workerConnections',
      'connectionsPerSource',
      'queueLength',
    ].flatMap((name): Advice[] => {
      const now = number(facts, name);
      if (now === undefined || (name === 'workerConnections' && now >= DEFAULT_WORKER_CONNECTIONS)) return [];
      const value = withRoom(now + facts.lostPerSecond);
      return [
        {
          do: 'Raise the limit that refused them.',
          knob: knob(facts, name),
          value: String(value),
          because: `it is ${count(now)}, and in the worst second ${count(facts.lostPerSecond)} requests were beyond it${name === 'workerConnections' ? '; a proxied request takes two, one on each side' : ''}`,
        },
      ];
    });
    const queue: Advice[] =
      takesKnob(kind, 'queueTimeout') && facts.node.spec.backendConnections !== undefined
        ? [
            {
              do: 'Let visitors wait in a queue instead of turning them away.',
              knob: knob(facts, 'queueTimeout'),
              value: '5s',
            },
          ]
        : [];
    return [...raised, ...queue, ...moreHosts(facts)];
  },

  throttled: (facts) => {
    const limit = facts.node.spec.rateLimit as { rate?: number; burst?: number } | undefined;
    return [
      {
        do: 'If these were honest visitors, raise the rate; if not, the limit did its work.',
        knob: knob(facts, 'rateLimit'),
        value: `{ rate: ${withRoom(facts.peakPerSecond)}/s, burst: ${withRoom(facts.lostPerSecond)} }`,
        because: `${limit?.rate === undefined ? 'it let through less' : `it lets ${count(limit.rate)} a second of one source through, with a burst of ${count(limit.burst ?? 0)}`}; in the busiest second ${count(facts.peakPerSecond)} requests came from all sources`,
      },
      {
        do: 'Behind a NAT gateway many visitors share one source: count by something that tells them apart, or give the gateway more addresses.',
      },
    ];
  },

  'queue-timeout': (facts) => {
    if (facts.node.layer === 'client') {
      const { connections } = facts.chain.traffic;
      const size = connections.mode === 'pooled' ? connections.size : 0;
      return [
        {
          do: 'Give each client host a larger pool of connections.',
          knob: 'traffic.connections',
          value: `"pooled: ${withRoom(size * 2)}"`,
          because: `none of its ${count(size)} connections became free within timeout.connect`,
        },
      ];
    }
    const limit = number(facts, 'backendConnections');
    return [
      ...(limit === undefined
        ? []
        : [
            {
              do: 'Let it have more connections to each backend, if the backends can take them.',
              knob: knob(facts, 'backendConnections'),
              value: String(limit * 2),
              because: `${count(limit)} at a time to each of ${count(targetsOf(facts))} backends; the rest waited`,
            },
          ]),
      // Without a limit of connections nothing ever waits there.
      ...(limit === undefined
        ? []
        : [{ do: 'Let visitors wait longer.', knob: knob(facts, 'queueTimeout'), value: '10s' }]),
      ...moreBackends(facts),
    ];
  },

  'file-limit': (facts) => {
    const now = number(facts, 'openFiles');
    const twice = facts.node.layer === 'L7' ? 2 : 1;
    const value = roundUp(Math.max((now ?? 0) + facts.lostPerSecond * twice, (now ?? 512) * 2));
    return [
      {
        do: 'Raise the limit of open files (LimitNOFILE=, ulimit -n).',
        knob: knob(facts, 'openFiles'),
        value: String(value),
        because: `${now === undefined ? 'every connection takes one' : `it is ${count(now)}, and every connection takes one`}${twice === 2 ? '; a proxied request takes two' : ''}`,
      },
    ];
  },

  filtered: (facts) => [
    {
      do: 'A rule drops them in silence, so that they wait for their time-out. If that is not meant, put an `allow` before it; if it is, `reject` tells them at once.',
      knob: knob(facts, 'rules'),
    },
  ],
  rejected: (facts) => [
    { do: 'A rule refuses them. If that is not meant, put an `allow` before it.', knob: knob(facts, 'rules') },
  ],

  refused: (facts) => [
    {
      do: 'Nothing listened there: look whether the daemon had started, had ended, or listens on another port; its log is in the logs folder of the run.',
    },
    ...moreHosts(facts),
  ],

  'time-wait-collision': (facts) => [
    ...(facts.chain.traffic.close === 'server'
      ? [
          {
            do: 'Let the client close first: then the TIME_WAIT lies where the port was chosen, and is not met.',
            knob: 'traffic.close',
            value: 'client',
          },
        ]
      : [
          {
            do: 'Let the other side close first: then the TIME_WAIT lies where the port was chosen, and is not met.',
            knob: knob(facts, 'close'),
            value: 'client',
          },
        ]),
    ...gatewaysBefore(facts).flatMap((gateway): Advice[] => [
      {
        do: 'More addresses: a pair of address and port comes up again later than the 60 s that a TIME_WAIT lasts.',
        knob: `topology.${gateway}.addresses`,
        value: String(2 * Number(facts.chain.nodes[gateway].spec.addresses ?? 1)),
      },
    ]),
    {
      do: 'Keep connections open: fewer are closed, so fewer lie in TIME_WAIT.',
      knob: 'traffic.connections',
      value: 'per-visitor',
    },
  ],

  'backend-held-down': (facts) => [
    { do: 'Cure what it follows from: this is its aftershock.' },
    ...againstAftershock(facts.node, facts.at),
  ],

  reset: (facts) => [
    {
      do: `Look into the log of ${facts.at} at that time: it ended connections in use (a restart, a crash, a limit of its own, an idle time-out shorter than that of whoever keeps the connection).`,
    },
  ],

  'mapping-expired': (facts) => {
    const idleMs = facts.chain.traffic.thinkTimeMs;
    const timeouts = facts.node.spec.timeouts as { established?: number } | undefined;
    const now = timeouts?.established;
    return [
      {
        do: 'Let the gateway remember idle connections for longer than they are kept.',
        knob: knob(facts, 'timeouts.established'),
        value: `${Math.max(60, Math.ceil((idleMs * 2) / 1000))}s`,
        because: `${now === undefined ? 'it forgot them sooner than their owners did' : `it forgets after ${spanOfMs(now)}`}${idleMs > 0 ? `; visitors think for ${spanOfMs(idleMs)}` : ''}`,
      },
      { do: 'Or do not keep connections that long.', knob: 'traffic.connections', value: 'per-request' },
      {
        do: 'In practice: keep-alive probes (tcp_keepalive_time) shorter than the gateway’s memory, and idle time-outs of proxies and servers below it.',
      },
    ];
  },

  lost: (facts) => [
    { do: 'The scenario asks for this loss.', knob: knob(facts, 'link.loss'), value: '0%' },
    {
      do: 'A time-out of more than 1 s lets the first repeated SYN through.',
      knob: 'traffic.timeout.connect',
      value: '4s',
    },
  ],

  unreachable: (facts) => [{ do: `Look at the routes and events of ${facts.at}: it had no way to pass them on.` }],

  'response-timeout': (facts) => {
    const service = number(facts, 'serviceTime');
    const workers = number(facts, 'workers');
    const hosts = facts.node.hosts.length;
    const perSecond =
      service !== undefined && service > 0 && workers !== undefined ? (hosts * workers * 1000) / service : undefined;
    const because =
      perSecond === undefined
        ? undefined
        : `${count(hosts)} × ${count(workers!)} at a time / ${service} ms = ${count(perSecond)} requests a second; ${count(facts.peakPerSecond)} came in the busiest one`;
    return [
      ...moreWorkers(facts, because),
      ...moreHosts(facts, because),
      {
        do: 'Let fewer in at a time, and the rest wait in front (a queue in a proxy): a crowd inside makes every answer late.',
      },
    ];
  },

  'http-error': (facts) => [
    { do: `The application itself answered so; its log is in the logs folder of the run (${facts.at}).` },
  ],

  'session-lost': (facts) => [
    {
      do: 'Keep sessions where every server finds them: then it does not matter which one answers.',
      knob: knob(facts, 'inventory'),
      value: 'redis',
    },
    ...proxiesBefore(facts).map(
      (proxy): Advice => ({
        do: 'Or keep a visitor with one server. When that server dies its sessions are lost all the same.',
        knob: `topology.${proxy}.sticky`,
        value: 'source',
      }),
    ),
  ],

  unattributed: () => [
    {
      do: 'No evidence singles out a cause. Look at one of them with --request, and at validity in run.json: taps that missed packets leave such holes.',
    },
  ],
};

/** The kernel's cap on a backlog (net.core.somaxconn since Linux 5.4). */
const SOMAXCONN = 4096;
const DEFAULT_WORKER_CONNECTIONS = 16_384;
