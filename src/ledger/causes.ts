/** The causes of a lost or delayed request: one entry each, with what it means and what proves it (docs/causes.md). */

/** Every cause, with its meaning and the evidence that proves it. */
export const CAUSES = {
  'ports-exhausted': {
    means: 'no free source port on that node for that destination',
    proof:
      'EADDRNOTAVAIL at the client or in the proxy log; a SYN that entered the gateway, reached its forward chain and never left',
  },
  'conntrack-full': {
    means: 'the connection table of that NAT gateway or firewall is full',
    proof: 'a SYN that entered the gateway and never reached its forward chain; conntrack drop',
  },
  'accept-queue-full': {
    means: "the listener's backlog overflowed",
    proof: 'a SYN into the host without a SYN+ACK out; TcpExt ListenOverflows',
  },
  'connection-limit': {
    means: 'a configured limit of connections refused it',
    proof: "the daemon's own log line; at a firewall the limit's own set",
  },
  throttled: {
    means: 'a configured rate limit answered or dropped it',
    proof: "status 429 or the daemon's log line; at a firewall the limit's own set",
  },
  'queue-timeout': { means: "it waited in a proxy's queue longer than allowed", proof: "the proxy's log line" },
  'file-limit': { means: 'that process ran out of file descriptors', proof: "EMFILE in the daemon's log" },
  filtered: { means: 'a firewall rule dropped it silently', proof: "the rule's own set" },
  rejected: { means: 'a firewall rule refused it with an answer', proof: "the rule's own set" },
  refused: { means: 'nothing listens there', proof: 'a SYN into the host, a RST out' },
  'time-wait-collision': {
    means: "the SYN met an old connection's TIME_WAIT under the same addresses and ports",
    proof: 'SYN in, no SYN+ACK, RST in, SYN again; TcpExt PAWSTimewait',
  },
  'backend-held-down': {
    means: 'the proxy had marked every backend down and refused without trying',
    proof: "the proxy's log line; `because` names the first failure",
  },
  reset: { means: 'an established connection was aborted by that node', proof: 'a RST that left that host' },
  'mapping-expired': {
    means: 'a NAT gateway or firewall had forgotten an idle connection',
    proof: "the gateway's conntrack DESTROY event of that tuple",
  },
  lost: {
    means: 'the link lost it (only where the scenario asks for loss)',
    proof: 'a SYN, or its SYN+ACK, out of one host, never into the next',
  },
  unreachable: {
    means: 'no route, or a gateway on the way that was switched off',
    proof: 'EHOSTUNREACH or ENETUNREACH; a SYN that entered a gateway while an event kept it off',
  },
  'response-timeout': {
    means: 'accepted, but no answer in time',
    proof: 'a finished handshake, no response within the time-out',
  },
  'http-error': { means: 'the application itself answered 5xx', proof: "the application's own log line" },
  'session-lost': {
    means: "the session's server is gone or another one answered",
    proof: "the application's answer",
  },
  unattributed: { means: 'no evidence singles out a cause', proof: '–' },
} as const satisfies Record<string, { means: string; proof: string }>;

/** A key of `CAUSES`, as gates and the record name it. */
export type Cause = keyof typeof CAUSES;

/** All causes in the order of the table above. */
export const CAUSE_NAMES = Object.keys(CAUSES) as Cause[];

/** Why one request was lost or late. */
export interface Verdict {
  cause: Cause;
  /** The node's name where it happened. */
  at: string;
  /** What this one follows from. */
  because?: { cause: Cause; at: string };
  /** Of `backend-held-down`: when that happened which it follows from, ns since the run's start. */
  quakeNs?: number;
  /** The pieces of evidence that decided it, in the order of the request's way. */
  evidence: string[];
}
