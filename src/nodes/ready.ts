/**
 * Waiting until a daemon is ready. Whether it listens is seen in the kernel's table: a trial connection would show in its log and in
 * the taps.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type PortPartyError, testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';

/** How often it is looked again, ms. */
const POLL_MS = 5;

/** When a daemon is ready, and what is said of one that does not come to it. */
export interface Readiness {
  withinMs: number;
  /** Asked every few milliseconds while the process runs. */
  isReady(): Promise<boolean>;
  /** Of one that has ended first. */
  ended(): Promise<PortPartyError>;
  /** Of one that takes longer. */
  late(): Promise<PortPartyError>;
}

/** Resolves once the daemon is ready; throws what `ended` or `late` give otherwise. */
export async function awaitReady(daemon: HostProcess, { withinMs, isReady, ended, late }: Readiness): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    // Asked before its log is read: what an ended process has logged is complete then.
    const { running } = daemon;
    if (running && (await isReady())) return;
    if (!running) throw await ended();
    if (performance.now() > deadline) throw await late();
    await sleep(POLL_MS);
  }
}

/** Of a daemon that is ready in its own eyes; the user's configuration may have it listen elsewhere, or nowhere. `hint`: what to write there. */
export function notListening(
  host: Pick<Host, 'name'>,
  name: string,
  { address, port }: Endpoint,
  hint: string,
): PortPartyError {
  return testbedError(`${name} runs but does not listen on ${address}:${port}`, host.name, hint);
}

/** Throws a PortPartyError (exit 3) where the daemon of that name does not listen there. */
export async function mustListen(host: Host, name: string, listen: Endpoint, hint: string): Promise<void> {
  if (!(await listensOn(host, listen))) throw notListening(host, name, listen, hint);
}

/** State of a listening socket in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';

/** True when some process of the host listens on this address and port, or on the port at all addresses. */
export async function listensOn(host: Pick<Host, 'run'>, { address, port }: Endpoint): Promise<boolean> {
  // A socket of IPv6 takes IPv4 connections as well, and a kernel without it has no such file. Only what may listen is
  // printed: a host in the middle of a burst has megabytes of connections there.
  const { stdout } = await host.run(['sh', '-c', `grep -hs ' ${LISTEN} ' /proc/net/tcp /proc/net/tcp6 || :`]);
  const anyAddress6 = `${'0'.repeat(32)}:${hexPort(port)}`;
  const wanted = new Set([hexAddress(address, port), hexAddress('0.0.0.0', port), anyAddress6]);
  return stdout.split('\n').some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === LISTEN && wanted.has(local);
  });
}

/** `address:port` as the kernel prints it: the address as a number of the machine's own byte order, little-endian here. */
function hexAddress(address: string, port: number): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `${bytes.reverse().join('').toUpperCase()}:${hexPort(port)}`;
}

function hexPort(port: number): string {
  return port.toString(16).padStart(4, '0').toUpperCase();
}
