/** Kernel settings of one host: where they lie, and what it means when the kernel refuses one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type PortPartyError, testbedError } from '../errors.js';
import { inNamespace } from '../sys/namespace.js';

/** Sets a sysctl of the network namespace at `netns`. Throws a PortPartyError (exit 3) with the reason in plain words. */
export function writeSysctl(netns: string, host: string, name: string, value: string): void {
  try {
    inNamespace(netns, () => writeFileSync(sysctlPath(name), value));
  } catch (error) {
    throw sysctlError(host, name, value, error as NodeJS.ErrnoException);
  }
}

/** Reads a sysctl of the network namespace at `netns`, white space at its ends left out. Throws a PortPartyError (exit 3). */
export function readSysctl(netns: string, host: string, name: string): string {
  try {
    return inNamespace(netns, () => readFileSync(sysctlPath(name), 'utf8')).trim();
  } catch (error) {
    throw testbedError(`cannot read the sysctl ${name}: ${(error as Error).message}`, host);
  }
}

/** `/proc/sys/net` shows the namespace of the thread that opens it. */
export function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}

/** Why a setting could not be made. */
export function sysctlError(
  host: string,
  name: string,
  value: string,
  error: { code?: string; message: string },
): PortPartyError {
  const reasons: Record<string, [reason: string, hint?: string]> = {
    ENOENT: [
      'this kernel has no such setting for a host of its own',
      name.startsWith('net.netfilter.') ? 'sudo modprobe nf_conntrack loads the one of connection tracking' : undefined,
    ],
    EINVAL: ['the kernel refuses this value'],
    EACCES: ['it can only be changed for the whole machine'],
    EPERM: ['it can only be changed for the whole machine'],
  };
  const [reason, hint] = reasons[error.code ?? ''] ?? [error.message];
  return testbedError(`cannot set ${name} = ${value}: ${reason}`, host, hint, error);
}
