/** The docker driver: builds a plan's hosts as containers on networks with fixed subnets. */
import { join } from 'node:path';
import type { StartedTestContainer } from 'testcontainers';
import { testbedError } from '../../errors.js';
import { allOrFirstError, thenEnd } from '../../promises.js';
import { forgetNamespaces } from '../../sys/namespace.js';
import type { Plan, PlannedHost } from '../../topology/plan.js';
import { shiftPlan } from '../../topology/shift-plan.js';
import type { Testbed } from '../host.js';
import { impairmentOf } from '../link-lines.js';
import { freeOffsets, isTaken } from './address-space.js';
import { startContainer } from './container.js';
import { daemonWords } from './daemon.js';
import { type DockerHost, dockerHost } from './host.js';
import { imageOf } from './images-for.js';
import { linkLines } from './links.js';
import { containerName } from './names.js';
import { makeNetworks, type TestbedNetwork } from './networks.js';
import { canEnter, direct, mayBeSidecar, type Reach, type Reachable, sidecar, whyNotDirect } from './reach.js';
import { removeLabelled, removeThing, TESTBED_LABEL } from './removal.js';
import type { Session } from './session.js';
import { addWires, networkOf, wireSegments } from './wires.js';

let built = 0;

/**
 * Builds the testbed; resolves when every link is up and every sysctl is set. No daemon runs yet. Its plan may lie on other
 * addresses than the one asked for, where another run has those.
 * `logsRoot` is a folder of the record; each host gets a sub-folder of its name.
 * Throws a PortPartyError (exit 3), and leaves nothing, when it cannot be built.
 */
export async function buildDocker(session: Session, plan: Plan, { logsRoot }: { logsRoot: string }): Promise<Testbed> {
  const offsets = await freeOffsets(session.daemon.docker, plan);
  for (const offset of offsets) {
    try {
      return await buildAt(session, shiftPlan(plan, offset), logsRoot);
    } catch (error) {
      // Another run was faster.
      if (!isTaken(error)) throw error;
    }
  }
  throw testbedError(
    'the networks of this daemon leave no room in 198.18.0.0/15 for the testbed',
    undefined,
    'wait until other runs have ended, or remove what they left: portparty clean; docker network ls shows the others',
  );
}

async function buildAt(opened: Session, plan: Plan, logsRoot: string): Promise<Testbed> {
  const prefix = `${opened.prefix}-${++built}`;
  const session: Session = { ...opened, prefix, labels: { ...opened.labels, [TESTBED_LABEL]: prefix } };
  const hosts = new Map<string, DockerHost>();
  let ended: Promise<void> | undefined;
  const down = () => {
    ended ??= takeDown(session, hosts);
    return ended;
  };
  const containers = new Map<string, StartedTestContainer>();
  try {
    const networks = await makeNetworks(session, [...plan.segments, ...wireSegments(plan)]);
    const reachOf = chooseReach(session);
    // Each is set up as soon as it is there, while others are still being started.
    await allOrFirstError([
      addWires(session, plan, networks, reachOf),
      ...plan.hosts.map(async (planned) => {
        const container = await startHost(session, plan, planned, networks);
        containers.set(planned.name, container);
        const reach = await reachOf(container, planned.name);
        await setUp(plan, planned, container, networks, reach);
        hosts.set(
          planned.name,
          await dockerHost(session, planned, container.getId(), reach, join(logsRoot, planned.name)),
        );
      }),
    ]);
  } catch (error) {
    return await thenEnd(error, down);
  }
  const inOrder = new Map(plan.hosts.map(({ name }) => [name, hosts.get(name)!]));
  return {
    driver: 'docker',
    lost: firstLost(session, containers, () => ended !== undefined),
    plan,
    hosts: inOrder,
    entry: async (host) => `docker exec -it ${session.prefix}-${containerName(host)} sh`,
    down,
  };
}

/** A host's container, idle. One with an image of the user's own holds the network for it, and the image starts with its node. */
function startHost(
  session: Session,
  plan: Plan,
  planned: PlannedHost,
  networks: Map<string, TestbedNetwork>,
): Promise<StartedTestContainer> {
  const { layer, spec } = planned;
  return startContainer(session, {
    name: containerName(planned.name),
    image: session.images[imageOf(planned)]!,
    network: planned.interfaces.map((nic) => ({
      network: networks.get(networkOf(planned, nic))!,
      // Behind a wire the wire has the place of this host in the segment.
      address: impairmentOf(planned, nic) === undefined ? nic.addresses[0] : undefined,
    })),
    capabilities: layer === 'L3' ? ['NET_ADMIN'] : undefined,
    openFiles: spec.image === undefined ? spec.openFiles : undefined,
    sharedVolume: layer === 'server' && spec.image === undefined ? `${session.prefix}-${planned.node}` : undefined,
    hosts: spec.image === undefined ? undefined : hostsFile(plan),
  });
}

/** Every listening host by its node's name, as a container would find it in a network of its own, and by its own name. */
function hostsFile(plan: Plan): [name: string, address: string][] {
  return plan.hosts.flatMap(({ name, node }): [string, string][] => {
    const listener = plan.listeners[name];
    if (listener === undefined) return [];
    const names = new Set([node, containerName(name)]);
    return [...names].map((one) => [one, listener.address]);
  });
}

/** The way into the containers: the direct one where it works for the first of them, else sidecars. */
function chooseReach(session: Session) {
  const { docker } = session.daemon;
  let entering: Promise<boolean> | undefined;
  const decide = async (first: Reachable): Promise<boolean> => {
    if (whyNotDirect(session.daemon) === undefined && canEnter(first)) return true;
    mayBeSidecar();
    await session.need(['agent']);
    return false;
  };
  return async (container: StartedTestContainer, host: string): Promise<Reach> => {
    const id = container.getId();
    const { State } = await docker.getContainer(id).inspect();
    const reachable: Reachable = { id, host, pid: State.Pid };
    entering ??= decide(reachable);
    if (!(await entering)) return sidecar(session, reachable);
    if (!canEnter(reachable)) throw testbedError('the container ended at its start', host);
    return direct(reachable);
  };
}

async function setUp(
  plan: Plan,
  planned: PlannedHost,
  container: StartedTestContainer,
  networks: Map<string, TestbedNetwork>,
  reach: Reach,
): Promise<void> {
  const attached = Object.fromEntries(
    planned.interfaces.map((nic) => [nic.name, container.getIpAddress(networks.get(networkOf(planned, nic))!.name)]),
  );
  const lines = linkLines(plan, planned, attached, await reach.interfaces());
  await reach.run(['ip', '-batch', '-'], `${lines.join('\n')}\n`);
  for (const [name, value] of planned.sysctls) await reach.setSysctl(name, value);
}

/** Rejects when a host's container ends before the testbed is taken down. */
function firstLost(
  { daemon }: Session,
  containers: ReadonlyMap<string, StartedTestContainer>,
  expected: () => boolean,
): Promise<never> {
  const lost = new Promise<never>((_, reject) => {
    for (const [name, container] of containers) {
      const fail = (words: string) => {
        if (!expected())
          reject(testbedError(`the container of ${name} ended in the middle of the run: ${words}`, name));
      };
      daemon.docker
        .getContainer(container.getId())
        .wait()
        .then(
          ({ StatusCode }: { StatusCode: number }) => fail(`exit code ${StatusCode}`),
          (error: unknown) => fail(daemonWords(error)),
        );
    }
  });
  // Mostly nothing is lost, and then nobody listens.
  lost.catch(() => {});
  return lost;
}

async function takeDown(session: Session, hosts: Map<string, DockerHost>): Promise<void> {
  const { docker } = session.daemon;
  const label = `${TESTBED_LABEL}=${session.prefix}`;
  try {
    await allOrFirstError(
      [...hosts.values()].map(async (host) => {
        await host.keepLogs();
        await removeThing(docker, { what: 'container', id: host.containerId, name: host.name, labels: {} });
      }),
    );
  } finally {
    // Descriptors of namespaces would keep them alive.
    forgetNamespaces();
    await removeLabelled(docker, label, ({ message, hint }) => session.tell(`${message}; ${hint}`));
  }
}
