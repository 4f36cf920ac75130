/** The Docker daemon as the tests see it, by its own API and not by the driver's code. */
import type Dockerode from 'dockerode';
import { connectDaemon } from '../../src/testbed/docker/daemon.js';

/** Why tests of the docker driver do not run: they belong to `npm run test:all`, and need a daemon; undefined where they do. */
export async function dockerMissing(): Promise<string | undefined> {
  if (process.env.PORTPARTY_TEST_ALL !== '1') return 'npm run test:all tests it';
  try {
    await connectDaemon();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The daemon's API. */
export async function docker(): Promise<Dockerode> {
  return (await connectDaemon()).docker;
}

/** Everything on the daemon that a process of ours has made, by the owner that is written on it. */
export interface Things {
  containers: Dockerode.ContainerInfo[];
  networks: Dockerode.NetworkInspectInfo[];
  volumes: Dockerode.VolumeInspectInfo[];
}

/** What the process of this id has made and not removed yet. */
export async function thingsOf(pid: number): Promise<Things> {
  const api = await docker();
  const filters = { label: ['portparty.owner'] };
  const [containers, networks, volumes] = await Promise.all([
    api.listContainers({ all: true, filters }),
    api.listNetworks({ filters }),
    api.listVolumes({ filters: JSON.stringify(filters) as never }),
  ]);
  // `machine/process id/start of the process`.
  const isOf = ({ Labels }: { Labels?: Record<string, string> }) =>
    Labels?.['portparty.owner']?.split('/')[1] === String(pid);
  return {
    containers: containers.filter(isOf),
    networks: networks.filter(isOf),
    volumes: (volumes.Volumes ?? []).filter(isOf),
  };
}

/** Names of what the process of this id has made and not removed yet. */
export async function namesOf(pid: number): Promise<string[]> {
  const { containers, networks, volumes } = await thingsOf(pid);
  return [
    ...containers.flatMap(({ Names }) => Names),
    ...networks.map(({ Name }) => Name),
    ...volumes.map(({ Name }) => Name),
  ];
}
