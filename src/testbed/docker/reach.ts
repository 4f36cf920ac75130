/**
 * The two ways into a container's network: this process enters its namespace, or a sidecar that shares it does the work.
 *
 *     direct    local daemon, root:   this process --setns--> /proc/<pid>/ns/net
 *     sidecar   any daemon:           this process --API stream--> agent in a container with `NetworkMode: container:<id>`
 */
import { readFileSync } from 'node:fs';
import { networkInterfaces, release } from 'node:os';
import { connectAgent } from '../../agent/connect.js';
import type { HostAgent } from '../../agent/host-agent.js';
import { testbedError, usageError } from '../../errors.js';
import { inNamespace } from '../../sys/namespace.js';
import { execIn } from '../exec.js';
import { findCommand } from '../find-command.js';
import type { CommandResult } from '../host.js';
import { readSysctl, sysctlError, writeSysctl } from '../sysctl.js';
import { startContainer } from './container.js';
import type { Daemon } from './daemon.js';
import { containerName } from './names.js';
import type { Session } from './session.js';
import { attachStreams } from './streams.js';

/** The network side of one running container. */
export interface Reach {
  /** Path of the network namespace, where this process can enter it. */
  netns: string | null;
  /** Folder under which this process sees the container's files; undefined where it cannot. */
  root: string | undefined;
  agent?: HostAgent;
  /** Names of the container's interfaces by their IPv4 addresses. */
  interfaces(): Promise<Map<string, string>>;
  /** Runs a command in the container's network namespace with tools from outside the container. Throws as `Host.run` does. */
  run(argv: string[], input?: string): Promise<CommandResult>;
  /** Sets a sysctl of the container's network namespace. Throws a PortPartyError (exit 3) with the reason in plain words. */
  setSysctl(name: string, value: string): Promise<void>;
  /** Reads a sysctl of the container's network namespace, white space at its ends left out. Throws as `setSysctl` does. */
  sysctl(name: string): Promise<string>;
}

/** A container as far as the way into it matters. */
export interface Reachable {
  id: string;
  /** Process id of its first process in the daemon's own process namespace. */
  pid: number;
  host: string;
}

/** The environment variable that decides the way: `auto` (default), `host` or `container`. */
export const TRAFFIC_SETTING = 'PORTPARTY_DOCKER_TRAFFIC';

/**
 * Why traffic cannot come from this process itself; undefined when it can. Asks nothing of the daemon that is not known.
 * Throws a PortPartyError: exit 2 for a setting that says nothing known, exit 3 for one that cannot be followed.
 */
export function whyNotDirect(daemon: Daemon): string | undefined {
  const wanted = process.env[TRAFFIC_SETTING] ?? 'auto';
  if (!['auto', 'host', 'container'].includes(wanted))
    throw usageError(`expected auto, host or container`, `${TRAFFIC_SETTING}=${wanted}`);
  const reason = wanted === 'container' ? `${TRAFFIC_SETTING}=container` : obstacle(daemon);
  if (reason !== undefined) mayBeSidecar(reason);
  return reason;
}

/** Throws a PortPartyError (exit 3) where the user wants the traffic to come from this process, which cannot be. */
export function mayBeSidecar(reason = "it does not see the containers' processes"): void {
  if (process.env[TRAFFIC_SETTING] === 'host')
    throw testbedError(
      `traffic cannot come from this process: ${reason}`,
      `${TRAFFIC_SETTING}=host`,
      `leave ${TRAFFIC_SETTING} out`,
    );
}

function obstacle(daemon: Daemon): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'this process is not root';
  if (daemon.socketPath === undefined) return 'the daemon is remote';
  if (daemon.kernel !== release()) return 'the daemon runs on another kernel';
  const missing = ['ip', 'nft'].find((command) => findCommand(command) === undefined);
  return missing === undefined ? undefined : `the command ${missing} is missing`;
}

/** True when this process sees the container's first process, and may enter its network. */
export function canEnter({ id, pid }: Reachable): boolean {
  try {
    // The daemon mounts files of its folder for this container, such as its resolv.conf, into it.
    if (!readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(id)) return false;
    inNamespace(`/proc/${pid}/ns/net`, () => {});
    return true;
  } catch {
    return false;
  }
}

/** The direct way. */
export function direct({ pid, host }: Reachable): Reach {
  const netns = `/proc/${pid}/ns/net`;
  return {
    netns,
    root: `/proc/${pid}/root`,
    async interfaces() {
      const seen = inNamespace(netns, networkInterfaces);
      return new Map(
        Object.entries(seen).flatMap(([name, addresses = []]) =>
          addresses.map(({ address }) => [address, name] as const),
        ),
      );
    },
    run: (argv, input) => execIn(netns, host, argv, input),
    setSysctl: async (name, value) => writeSysctl(netns, host, name, value),
    sysctl: async (name) => readSysctl(netns, host, name),
  };
}

/**
 * Starts the sidecar of a container. It needs rights over that one network, and none over the machine.
 * Throws a PortPartyError (exit 3) when it does not start.
 */
export async function sidecar(session: Session, { id, host }: Reachable): Promise<Reach> {
  const streams = attachStreams(session.daemon, host);
  await startContainer(session, {
    name: `${containerName(host)}-agent`,
    image: session.images.agent!,
    network: { of: id },
    processesOf: id,
    user: '0',
    capabilities: ['NET_ADMIN', 'NET_RAW'],
    writableSysctls: true,
    stdin: true,
    prepare: streams.attach,
  });
  const { stdin, stdout, stderr } = streams.opened();
  const agent = await connectAgent(stdout, stdin, host, stderr);
  const run: Reach['run'] = async (argv, input) => {
    const { code, stdout: said, stderr } = await agent.run(argv, { input });
    if (code === 0) return { stdout: said, stderr };
    throw testbedError(`${argv.join(' ')} failed: ${stderr.trim() || said.trim() || `exit code ${code}`}`, host);
  };
  return {
    netns: null,
    root: undefined,
    agent,
    run,
    async interfaces() {
      const seen = JSON.parse((await run(['ip', '-json', '-4', 'address'])).stdout) as {
        ifname: string;
        addr_info: { local: string }[];
      }[];
      return new Map(seen.flatMap(({ ifname, addr_info }) => addr_info.map(({ local }) => [local, ifname] as const)));
    },
    async setSysctl(name, value) {
      await agent.setSysctl(name, value).catch((error) => {
        throw sysctlError(host, name, value, error);
      });
    },
    async sysctl(name) {
      return await agent.sysctl(name).catch((error) => {
        throw testbedError(`cannot read the sysctl ${name}: ${error.message}`, host);
      });
    },
  };
}
