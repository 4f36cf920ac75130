/** Our own images: built once for a content, told in the daemon's own words when they cannot be, small and not root inside. */
import { spawnSync } from 'node:child_process';
import type Dockerode from 'dockerode';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PortPartyError } from '../../src/errors.js';
import { buildImage } from '../../src/testbed/docker/images/build-image.js';
import { imageNames } from '../../src/testbed/docker/images/catalog.js';
import type { BuildContext } from '../../src/testbed/docker/images/context.js';
import { ensureImages } from '../../src/testbed/docker/images/ensure.js';
import { BASE_SCRIPT } from '../../src/testbed/docker/images/local-base.js';
import { pullImage } from '../../src/testbed/docker/images/pull.js';
import { docker as connect, dockerMissing } from '../helpers/docker.js';
import { inContainer } from './throw-away.js';

const missing = await dockerMissing();
const names = imageNames();
const ignore = () => {};

describe.skipIf(missing !== undefined)(
  `images of the docker driver${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let docker: Dockerode;
    let tags: Record<string, string>;
    beforeAll(async () => {
      docker = await connect();
      tags = await ensureImages(docker, names, ignore);
    }, 600_000);

    test('what has been built is not built again', async () => {
      const steps: string[] = [];
      expect(await ensureImages(docker, names, (line) => steps.push(line))).toEqual(tags);
      expect(steps).toEqual([]);
    });

    test('every image says what it is, of which version, and in how many megabytes', async () => {
      for (const name of names) {
        const { Config, Size } = await docker.getImage(tags[name]).inspect();
        expect(Config.Labels).toMatchObject({
          'org.opencontainers.image.title': `portparty/${name}`,
          'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
        });
        console.log(`${tags[name]} ${(Size / 1e6).toFixed(0)} MB`);
      }
    });

    test('where the job allows it, nobody is root inside', async () => {
      const root = [];
      for (const name of names) if ((await docker.getImage(tags[name]).inspect()).Config.User === '') root.push(name);
      expect(root).toEqual(['agent', 'gateway', 'reaper']);
    });

    test('nginx runs without root and without a single capability, on port 80 too', async () => {
      await inContainer(docker, tags.nginx, async ({ exec, top }) => {
        const config = 'pid /portparty/run/nginx.pid; events {} http { access_log off; server { listen 80; } }';
        await exec(['sh', '-c', 'echo "$1" >/portparty/logs/nginx.conf', 'sh', config]);
        await exec(['nginx', '-c', '/portparty/logs/nginx.conf', '-e', '/portparty/logs/error.log']);
        // The image's own user, as the daemon's machine sees it. A worker calls itself one a moment after it was forked.
        const processes = async () =>
          (await top()).flatMap(({ command, user }) =>
            command.startsWith('nginx: ') ? [[command.split(' ')[1], user]] : [],
          );
        await expect.poll(processes, { timeout: 10_000 }).toEqual([
          ['master', '10001'],
          ['worker', '10001'],
        ]);
      });
    });

    test('haproxy runs without root and without a single capability', async () => {
      await inContainer(docker, tags.haproxy, async ({ exec, top }) => {
        const config = 'defaults\n mode http\n timeout client 1s\nfrontend front\n bind :80\n';
        await exec(['sh', '-c', 'printf %s "$1" >/portparty/logs/haproxy.cfg', 'sh', config]);
        await exec(['haproxy', '-D', '-f', '/portparty/logs/haproxy.cfg']);
        const processes = (await top()).filter(({ command }) => command.startsWith('haproxy '));
        expect(processes.map(({ user }) => user)).toEqual(['10001']);
      });
    });

    test('the gateway has the tools of a router', async () => {
      await inContainer(docker, tags.gateway, async ({ exec }) => {
        for (const command of ['ip', 'tc', 'nft', 'iptables', 'conntrack'])
          await exec(['sh', '-c', `command -v ${command}`]);
      });
    });

    test.each(['client', 'gateway', 'nginx', 'ticket-shop', 'agent'] as const)(
      'in %s the folders of logs, scratch files and shared files can be written to, capabilities or not',
      async (name) => {
        await inContainer(docker, tags[name], async ({ exec }) => {
          await exec(['touch', '/portparty/logs/x', '/portparty/run/x', '/portparty/shared/x']);
        });
      },
    );

    describe('a build that fails', () => {
      const context = (...lines: string[]): BuildContext => ({
        texts: new Map([['Dockerfile', [`FROM ${tags.client}`, ...lines, ''].join('\n')]]),
        packages: new Set(),
        modules: { placed: [], missing: [] },
        binaries: new Map(),
        version: '0',
      });
      const failing = async (...lines: string[]) => {
        const build = { tag: 'portparty-test/broken:latest', context: context(...lines), buildArgs: {} };
        return buildImage(docker, build, ignore).then(
          () => expect.unreachable('it was built'),
          (error: PortPartyError) => error,
        );
      };

      test('tells the step, the daemon`s words and the last lines of output', async () => {
        const error = await failing('RUN true', 'RUN echo the shelf is empty >&2; exit 7');
        expect(error.exitCode).toBe(3);
        expect(error.message).toContain(
          'building the image portparty-test/broken:latest failed at its Step 3/3: RUN echo',
        );
        expect(error.message).toContain('returned a non-zero code: 7');
        expect(error.message.split('\n').at(-1)).toBe('  the shelf is empty');
      });

      test('tells of a Dockerfile that the daemon does not understand', async () => {
        const error = await failing('RUNN true');
        expect(error.exitCode).toBe(3);
        expect(error.message).toMatch(/unknown instruction: RUNN/i);
      });

      test('leaves no image behind', async () => {
        await failing('RUN exit 1');
        const filters = { reference: ['portparty-test/broken'] };
        expect(await docker.listImages({ filters })).toEqual([]);
      });
    });

    test('two builds of the same content at the same time both succeed', async () => {
      const texts = new Map([
        ['Dockerfile', `FROM ${tags.client}\nRUN sleep 0.2; echo ${process.pid} >/portparty/x\n`],
      ]);
      const modules = { placed: [], missing: [] };
      const context: BuildContext = { texts, packages: new Set(), modules, binaries: new Map(), version: '0' };
      const tag = `portparty-test/at-once:${process.pid}`;
      await Promise.all([1, 2].map(() => buildImage(docker, { tag, context, buildArgs: {} }, ignore)));
      await docker.getImage(tag).remove({ force: true });
    });

    test('an interrupted build ends at once, and leaves no container and no name', async () => {
      const mark = `portparty-test-${process.pid}`;
      const texts = new Map([['Dockerfile', `FROM ${tags.client}\nLABEL mark=${mark}\nRUN sleep 3600\n`]]);
      const modules = { placed: [], missing: [] };
      const context: BuildContext = { texts, packages: new Set(), modules, binaries: new Map(), version: '0' };
      const interrupt = new AbortController();
      const containers = () => docker.listContainers({ all: true, filters: { label: [`mark=${mark}`] } });
      const building = buildImage(docker, { tag: `${mark}:x`, context, buildArgs: {} }, ignore, interrupt.signal);
      const failed = building.catch((error: PortPartyError) => error);
      await expect.poll(containers, { timeout: 30_000 }).toMatchObject([{ State: 'running' }]);
      interrupt.abort();
      expect(await failed).toMatchObject({ exitCode: 3 });
      await expect.poll(containers, { timeout: 30_000 }).toEqual([]);
      // Only the cache of the steps that were done.
      const images = await docker.listImages({ filters: { label: [`mark=${mark}`] } });
      expect(images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')).toEqual([]);
      for (const { Id } of images) await docker.getImage(Id).remove();
    });

    test('a registry that does not answer is told in the daemon`s words', async () => {
      const error = await pullImage(docker, '127.0.0.1:1/nothing:here', ignore).catch(
        (failed: PortPartyError) => failed,
      );
      expect(error).toMatchObject({ exitCode: 3 });
      expect((error as PortPartyError).message).toMatch(
        /^pulling the image 127.0.0.1:1\/nothing:here failed: .*connection refused/,
      );
    });

    test('the script leaves an image alone that is there', () => {
      const { status, stderr } = spawnSync('sh', [BASE_SCRIPT, tags.client], { encoding: 'utf8', timeout: 30_000 });
      expect(stderr).toContain(`${tags.client} is there already`);
      expect(status).toBe(0);
    });
  },
);

test('the script says when no daemon answers', () => {
  const env = { ...process.env, DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  const { status, stderr } = spawnSync('sh', [BASE_SCRIPT], { encoding: 'utf8', timeout: 30_000, env });
  expect(stderr).toMatch(/the Docker daemon does not answer at unix:\/\/\/nowhere|both are missing/);
  expect(status).toBe(1);
});

test('a value that the setting does not know is a mistake of the command line', async () => {
  process.env.PORTPARTY_BASE_IMAGES = 'regsitry';
  try {
    await expect(ensureImages({} as Dockerode, ['client'], ignore)).rejects.toMatchObject({
      exitCode: 2,
      where: 'PORTPARTY_BASE_IMAGES=regsitry',
    });
  } finally {
    delete process.env.PORTPARTY_BASE_IMAGES;
  }
});
