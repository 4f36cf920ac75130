/** The netns driver: builds a plan's hosts as network namespaces of this process, joined by virtual cables. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { testbedError } from '../../errors.js';
import { C, errno, errnoName, unshare } from '../../sys/libc.js';
import { forgetNamespaces, inNamespace } from '../../sys/namespace.js';
import type { Plan } from '../../topology/plan.js';
import { execIn } from '../exec.js';
import type { Testbed } from '../host.js';
import { entryFromOutside, SCRATCH_ROOT } from './enter.js';
import { type NetnsHost, netnsHost } from './host.js';
import { type LinkScripts, linkScripts, needsFabric } from './links.js';
import { linksReady } from './links-ready.js';

/** Where a testbed's files go. */
export interface NetnsOptions {
  /** Folder in the record; each host gets a sub-folder of its name. */
  logsRoot: string;
  /** Folder for what the hosts of a node share; each node gets a sub-folder of its name. */
  sharedRoot: string;
}

/** A namespace that lives as long as its descriptor is open. */
interface Namespace {
  fd: number;
  path: string;
}

let built = 0;

/**
 * Builds the testbed; resolves when every link is up and every sysctl is set. No daemon runs yet.
 * Only inside the isolation of `enter.ts`, on the main thread.
 * Throws a PortPartyError (exit 3), and leaves nothing, when it cannot be built.
 */
export async function buildNetns(plan: Plan, options: NetnsOptions): Promise<Testbed> {
  await checkPlan(plan);
  const scratch = join(SCRATCH_ROOT, `testbed-${++built}`);
  const namespaces = createNamespaces(plan.hosts.length + (needsFabric(plan) ? 1 : 0));
  const hosts = new Map<string, NetnsHost>();
  let ended: Promise<void> | undefined;
  const down = () => {
    ended ??= takeDown(hosts, namespaces, scratch);
    return ended;
  };

  try {
    const paths = new Map(plan.hosts.map((host, index) => [host.name, namespaces[index].path]));
    const fabric = namespaces[plan.hosts.length]?.path;
    const namespaceOf = (host?: string) => (host === undefined ? fabric : paths.get(host)!);
    await makeFolders(plan, options, scratch, paths, hosts);
    const scripts = linkScripts(plan, namespaceOf, await netemWorks(plan));
    await connect(scripts, namespaceOf);
    await linksReady(plan, namespaceOf, scripts.fabric.ports);
    await setSysctls(plan, hosts);
  } catch (error) {
    await down();
    throw error;
  }
  return {
    driver: 'netns',
    plan,
    hosts,
    entry: async (host) => `${await entryFromOutside(hosts.get(host)!.netns!)} ss -tan`,
    down,
  };
}

/**
 * Refuses what this machine's kernel cannot do, by node and knob, before anything is started: a link's delay needs netem,
 * a link's loss netem or nftables. Throws a PortPartyError (exit 3).
 */
export async function checkPlan(plan: Plan): Promise<void> {
  const delayed = plan.hosts.find((host) => (host.spec.link?.delay ?? 0) > 0);
  if (delayed && !(await netemWorks(plan)))
    throw testbedError(
      `this kernel (${release()}) has no netem, which \`link: { delay }\` needs`,
      `topology.${delayed.node}.link.delay`,
      'leave the delay out, or run on a kernel with the module sch_netem (sudo modprobe sch_netem)',
    );
}

let netem: Promise<boolean> | undefined;

/** Tries netem out in a namespace of its own; once per process, and only for plans that ask for it. */
function netemWorks(plan: Plan): Promise<boolean> {
  if (!plan.hosts.some((host) => host.spec.link)) return Promise.resolve(false);
  netem ??= (async () => {
    const [probe] = createNamespaces(1);
    try {
      await execIn(probe.path, 'netem', ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']);
      return true;
    } catch {
      return false;
    } finally {
      closeNamespaces([probe]);
    }
  })();
  return netem;
}

/** Makes network namespaces by unshare(2) on this thread and comes back to its own. IPv6 is off: its chatter would be in the taps. */
function createNamespaces(count: number): Namespace[] {
  const namespaces: Namespace[] = [];
  // Entering the own namespace first makes `inNamespace` bring the thread back there.
  inNamespace('/proc/self/ns/net', () => {
    for (let made = 0; made < count; made++) {
      if (unshare(C.CLONE_NEWNET) !== 0) {
        const reason = errnoName(errno());
        closeNamespaces(namespaces);
        throw testbedError(`cannot make a network namespace: ${reason}`);
      }
      const fd = openSync('/proc/thread-self/ns/net', 'r');
      namespaces.push({ fd, path: `/proc/${process.pid}/fd/${fd}` });
      disableIpv6();
    }
  });
  return namespaces;
}

function disableIpv6(): void {
  for (const scope of ['all', 'default'])
    try {
      writeFileSync(`/proc/sys/net/ipv6/conf/${scope}/disable_ipv6`, '1');
    } catch {
      return; // A kernel without IPv6.
    }
}

function closeNamespaces(namespaces: Namespace[]): void {
  // A path names a descriptor's number, and the number is used again: what is remembered under it must go first.
  forgetNamespaces();
  for (const { fd } of namespaces.splice(0)) closeSync(fd);
}

async function makeFolders(
  plan: Plan,
  { logsRoot, sharedRoot }: NetnsOptions,
  scratch: string,
  paths: Map<string, string>,
  hosts: Map<string, NetnsHost>,
): Promise<void> {
  const nodes = new Set(plan.hosts.map((host) => host.node));
  await Promise.all([...nodes].map((node) => mkdir(join(sharedRoot, node), { recursive: true })));
  const made = await Promise.all(
    plan.hosts.map((host) =>
      netnsHost(host, paths.get(host.name)!, { logDir: join(logsRoot, host.name), runDir: join(scratch, host.name) }),
    ),
  );
  for (const host of made) hosts.set(host.name, host);
}

async function connect(scripts: LinkScripts, namespaceOf: (host?: string) => string): Promise<void> {
  const batch = (netns: string | null, where: string, argv: string[], lines: string[]) =>
    lines.length === 0 ? undefined : execIn(netns, where, argv, `${lines.join('\n')}\n`);
  const ip = ['ip', '-batch', '-'];
  // The generator rehearses on the loopback of its own namespace.
  await batch(null, 'links', ip, ['link set lo up', ...scripts.cables]);
  const { fabric } = scripts;
  await Promise.all([
    ...[...scripts.hosts].map(([host, lines]) => batch(namespaceOf(host), host, ip, lines)),
    batch(namespaceOf(), 'fabric', ip, fabric.ip),
  ]);
  // Not while the bridges are made: 5 of 96 rules loaded meanwhile never saw a packet (Linux 6.18), none of 245 loaded afterwards.
  await batch(namespaceOf(), 'fabric', ['nft', '-f', '-'], fabric.nft);
  await batch(namespaceOf(), 'fabric', ['tc', '-batch', '-'], fabric.tc);
}

async function setSysctls(plan: Plan, hosts: Map<string, NetnsHost>): Promise<void> {
  for (const planned of plan.hosts) {
    const host = hosts.get(planned.name)!;
    if (planned.layer === 'L3') await loadConnectionTracking(host, planned.sysctls);
    for (const [name, value] of planned.sysctls) await host.setSysctl(name, value);
  }
}

/** Where connection tracking is a module, its settings appear with the first rule that needs it. */
async function loadConnectionTracking(host: NetnsHost, sysctls: [string, string][]): Promise<void> {
  const first = sysctls.find(([name]) => name.startsWith('net.netfilter.nf_conntrack_'));
  if (!first) return;
  const there = await host.sysctl(first[0]).catch(() => undefined);
  if (there !== undefined) return;
  const chain = 'chain load {\n type filter hook prerouting priority 0;\n ct state new\n }';
  await host.run(['nft', '-f', '-'], { input: `table ip load {\n ${chain}\n}\n` });
  await host.run(['nft', 'delete', 'table', 'ip', 'load']);
}

async function takeDown(hosts: Map<string, NetnsHost>, namespaces: Namespace[], scratch: string): Promise<void> {
  await Promise.all([...hosts.values()].map((host) => host.end()));
  closeNamespaces(namespaces);
  await rm(scratch, { recursive: true, force: true });
}
