/** Files of a host: written and read by the harness and by the host's own processes alike, kept in the record where promised. */
import { describe, expect, it } from 'vitest';
import type { OpenTestbed } from '../open.js';

export function filePromises(testbed: () => OpenTestbed): void {
  describe('a file', () => {
    it.each(['buyers[0]', 'edge', 'shop[0]'])(
      'is where %s itself sees it, relative ones in its log folder',
      async (name) => {
        const host = testbed().host(name);
        const path = await host.writeFile('settings.conf', 'Größe 1\n');
        expect(path).toBe(`${host.logDir}/settings.conf`);
        expect((await host.run(['cat', path])).stdout).toBe('Größe 1\n');
        expect(await host.readFile('settings.conf')).toBe('Größe 1\n');
        expect(await host.readFile(path)).toBe('Größe 1\n');
      },
    );

    it('may have an absolute path, in the scratch folder', async () => {
      const host = testbed().host('shop[0]');
      const path = `${host.runDir}/scratch.txt`;
      expect(await host.writeFile(path, 'here')).toBe(path);
      expect((await host.run(['cat', path])).stdout).toBe('here');
      expect(await host.readFile(path)).toBe('here');
    });

    it('is replaced as a whole', async () => {
      const host = testbed().host('shop[0]');
      await host.writeFile('twice.txt', 'a long first text');
      await host.writeFile('twice.txt', 'short');
      expect(await host.readFile('twice.txt')).toBe('short');
    });

    it('that is not there reads as nothing', async () => {
      const host = testbed().host('shop[0]');
      expect(await host.readFile('no-such-file')).toBe('');
      expect(await host.readFile('/no/such/file')).toBe('');
    });

    it.each(['edge', 'shop[0]'])('that a process of %s writes is read while it grows', async (name) => {
      const host = testbed().host(name);
      for (const folder of [host.logDir, host.runDir]) {
        const path = `${folder}/grows.log`;
        for (const line of ['one', 'two']) await host.run(['sh', '-c', 'echo "$1" >> "$2"', 'sh', line, path]);
        expect(await host.readFile(path)).toBe('one\ntwo\n');
      }
    });

    it('is not seen by the next host of the node', async () => {
      await testbed().host('shop[0]').writeFile('own.txt', 'mine');
      expect(await testbed().host('shop[1]').readFile('own.txt')).toBe('');
    });

    it('in the shared folder is seen by all hosts of the node, and a socket there connects them', async () => {
      const [first, second] = ['shop[0]', 'shop[1]'].map((name) => testbed().host(name));
      const path = `${first.sharedDir}/shared.sock`;
      const server = `require('net').createServer((s) => s.end('from the first')).listen('${path}', () => console.log('ready'))`;
      const daemon = await first.spawn([first.nodeBinary, '-e', server], { label: 'shared' });
      while ((await first.readFile('shared.log')) === '');
      const client = `require('net').connect('${second.sharedDir}/shared.sock').on('data', (text) => console.log(String(text)))`;
      expect((await second.run([second.nodeBinary, '-e', client])).stdout).toBe('from the first\n');
      await daemon.signal('SIGTERM');
    });

    it('of the built package is there for servers, and Node.js', async () => {
      const host = testbed().host('shop[0]');
      const program = `import('${host.distDir}/servers/program.js').then(() => console.log('loaded'))`;
      expect((await host.run([host.nodeBinary, '-e', program])).stdout).toBe('loaded\n');
    });
  });
}
