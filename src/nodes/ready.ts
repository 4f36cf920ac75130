/** Whether a daemon listens, seen in the kernel's table: a trial connection would show in its log and in the taps. */
import type { Host } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';

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
