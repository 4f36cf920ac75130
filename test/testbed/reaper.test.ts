/** The reaper: what a killed process leaves behind goes, and nothing else does. Spoken to as testcontainers speaks to Ryuk. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type Dockerode from 'dockerode';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureImages } from '../../src/testbed/docker/images/ensure.js';
import { parseFilters } from '../../src/testbed/docker/reaper/prune.js';
import { reaperSettings } from '../../src/testbed/docker/reaper/settings.js';
import { docker as connectDaemon, dockerMissing } from '../helpers/docker.js';

const missing = await dockerMissing();
const LABEL = 'portparty-test.reaper';

describe.skipIf(missing !== undefined)(`the reaper${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let docker: Dockerode;
  let images: { reaper: string; client: string };
  let reaper: Dockerode.Container;
  /** Unique to a test. */
  let mark: string;
  let counter = 0;

  beforeAll(async () => {
    docker = await connectDaemon();
    images = await ensureImages(docker, ['reaper', 'client'], () => {});
  }, 600_000);

  beforeEach(() => {
    mark = `${process.pid}-${++counter}`;
  });

  afterEach(async () => {
    await reaper?.remove({ force: true }).catch(() => {});
    const filters = { label: [`${LABEL}=${mark}`] };
    for (const { Id } of await docker.listContainers({ all: true, filters }))
      await docker.getContainer(Id).remove({ force: true });
    for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
    const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(filters) as never });
    for (const { Name } of Volumes) await docker.getVolume(Name).remove();
  });

  /** Starts a reaper as testcontainers does. */
  async function startReaper(reconnection = '1s'): Promise<void> {
    reaper = await docker.createContainer({
      Image: images.reaper,
      Env: [`RYUK_RECONNECTION_TIMEOUT=${reconnection}`],
      ExposedPorts: { '8080/tcp': {} },
      HostConfig: {
        Binds: ['/var/run/docker.sock:/var/run/docker.sock'],
        PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
      },
    });
    await reaper.start();
    await expect
      .poll(async () => (await reaper.logs({ stdout: true })).toString(), { timeout: 20_000 })
      .toMatch(/.*Started.*/);
  }

  async function client(): Promise<{ socket: Socket; say: (line: string) => Promise<string> }> {
    const { NetworkSettings } = await reaper.inspect();
    const socket = connect(Number(NetworkSettings.Ports['8080/tcp'][0].HostPort), '127.0.0.1');
    await once(socket, 'connect');
    const answers = createInterface({ input: socket });
    const say = async (line: string) => {
      const answer = once(answers, 'line');
      socket.write(line);
      return String((await answer)[0]);
    };
    return { socket, say };
  }

  /** A container, a network and a volume, labelled. */
  async function make(labels: Record<string, string>): Promise<void> {
    const Labels = { [LABEL]: mark, ...labels };
    const network = await docker.createNetwork({
      Name: `portparty-test-${mark}-${Object.values(labels).join('-')}`,
      Labels,
    });
    const volume = await docker.createVolume({ Labels });
    const container = await docker.createContainer({
      Image: images.client,
      Cmd: ['sleep', 'infinity'],
      Labels,
      HostConfig: { NetworkMode: network.id, Mounts: [{ Type: 'volume', Source: volume.name, Target: '/x' }] },
    });
    await container.start();
  }

  /** How many of each there are. */
  async function left(label: string): Promise<{ containers: number; networks: number; volumes: number }> {
    const filters = { label: [`${LABEL}=${mark}`, label] };
    const [containers, networks, { Volumes }] = await Promise.all([
      docker.listContainers({ all: true, filters }),
      docker.listNetworks({ filters }),
      docker.listVolumes({ filters: JSON.stringify(filters) as never }),
    ]);
    return { containers: containers.length, networks: networks.length, volumes: Volumes.length };
  }

  const all = { containers: 1, networks: 1, volumes: 1 };
  const none = { containers: 0, networks: 0, volumes: 0 };

  test('what the last client named goes when it is gone, what it did not name stays', async () => {
    await startReaper();
    await Promise.all([make({ session: 'mine' }), make({ session: 'other' })]);
    const { socket, say } = await client();
    expect(await say(`label=${LABEL}=${mark}&label=session=mine\r\n`)).toBe('ACK');
    socket.destroy();
    await expect.poll(() => left('session=mine'), { timeout: 30_000 }).toEqual(none);
    expect(await left('session=other')).toEqual(all);
    expect((await reaper.wait()).StatusCode).toBe(0);
  });

  test('nothing goes while another client is there', async () => {
    await startReaper('0s');
    await make({ session: 'mine' });
    const [first, second] = [await client(), await client()];
    expect(await second.say('label=session=nobodys\n')).toBe('ACK');
    expect(await first.say(`label=${LABEL}=${mark}\n`)).toBe('ACK');
    first.socket.end();
    // The reaper closes its side when it has heard of the end.
    await once(first.socket, 'close');
    expect(await second.say('label=session=nobodys\n')).toBe('ACK');
    expect(await left('session=mine')).toEqual(all);
    second.socket.destroy();
    await expect.poll(() => left('session=mine'), { timeout: 30_000 }).toEqual(none);
  });

  test('a client that has removed everything itself lets the reaper end at once', async () => {
    await startReaper('1h');
    const { socket, say } = await client();
    expect(await say(`label=${LABEL}=${mark}\n`)).toBe('ACK');
    socket.end();
    expect((await reaper.wait()).StatusCode).toBe(0);
  });

  test('told to end, it removes what was named by clients that are gone, without waiting', async () => {
    await startReaper('1h');
    await make({ session: 'mine' });
    const { socket, say } = await client();
    expect(await say(`label=${LABEL}=${mark}\n`)).toBe('ACK');
    socket.destroy();
    await once(socket, 'close');
    await reaper.kill({ signal: 'SIGTERM' });
    expect((await reaper.wait()).StatusCode).toBe(0);
    expect(await left('session=mine')).toEqual(none);
  });
});

test('a line of filters is read as a query', () => {
  expect(parseFilters('label=a=b&label=c%20d=e')).toEqual({ label: ['a=b', 'c d=e'] });
});

test.each(['', '=', 'label=', 'label', '&&'])('a line without a filter, %j, names nothing: not everything', (line) => {
  expect(parseFilters(line)).toBeUndefined();
});

test('settings are those of Ryuk, in Go`s durations', () => {
  expect(reaperSettings({ RYUK_RECONNECTION_TIMEOUT: '1m30s', RYUK_PORT: '81' })).toMatchObject({
    port: 81,
    reconnectionTimeout: 90_000,
    connectionTimeout: 60_000,
  });
  expect(() => reaperSettings({ RYUK_CONNECTION_TIMEOUT: 'soon' })).toThrow('RYUK_CONNECTION_TIMEOUT=soon');
});
